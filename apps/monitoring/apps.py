"""The pages of the jobs as a Django app."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_migrate


class MonitoringConfig(AppConfig):
    name = "apps.monitoring"
    label = "monitoring"
    verbose_name = "Monitoring"

    def ready(self) -> None:
        from . import emergency_pass, groups

        post_migrate.connect(groups.ship, sender=self)
        user_logged_out.connect(emergency_pass.note_logout)
