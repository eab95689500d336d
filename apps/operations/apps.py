from django.apps import AppConfig
from django.core.checks import register


class OperationsConfig(AppConfig):
    name = "apps.operations"
    label = "operations"

    def ready(self) -> None:
        from .ticket_raising import check_ticket_raiser

        register(check_ticket_raiser)
