"""The engine as a Django app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = __package__ or "apps.core"
    label = "bgjobs"
    verbose_name = "Background jobs"

    def ready(self) -> None:
        from celery.signals import setup_logging

        from . import checks, logs
        from .tasks import job_log

        checks.register_all()
        setup_logging.connect(logs.keep_django_logging)
        job_log.observe()
