from django.apps import AppConfig


class HelpdeskConfig(AppConfig):
    name = "apps.helpdesk"
    label = "helpdesk"

    def ready(self) -> None:
        from . import tasks  # noqa: F401 - it receives what the journal announces
