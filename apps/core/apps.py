"""The engine as a Django app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = __package__ or "apps.core"
    label = "bgjobs"
    verbose_name = "Background jobs"

    def ready(self) -> None:
        from celery.signals import beat_init, setup_logging, worker_init

        from . import (
            checks,
            logs,
            relaying,
            upkeep,  # noqa: F401 - for its tasks to be declared
        )
        from .owners import workers
        from .schedules import observer as firings
        from .tasks import carried_context, job_log

        checks.register_all()
        setup_logging.connect(logs.keep_django_logging)
        worker_init.connect(checks.refuse_to_start)
        beat_init.connect(checks.refuse_to_start)
        beat_init.connect(relaying.relay_in_beat)
        workers.observe()
        carried_context.observe()  # first, so that the log knows the context
        job_log.observe()
        firings.observe()
