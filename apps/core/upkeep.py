"""What keeps the engine's tables small: one task for each, which the timetable runs once a day."""

from celery import shared_task
from django.db.models.functions import Now

from .conf import engine_settings
from .models import DeadLetter, Firing, IdempotencyRecord, JobRun
from .retention import days_ago, remove
from .tasks import MaintenanceTask


@shared_task(base=MaintenanceTask, repeatable=True, name="cleanup_dead_letters")
def cleanup_dead_letters() -> int:
    """Remove letters, open or not, whose jobs were given up before `dead_letters_kept_days`. Returns how many."""
    return remove(DeadLetter.objects.filter(last_at__lt=days_ago(engine_settings().dead_letters_kept_days)))


@shared_task(base=MaintenanceTask, repeatable=True, name="cleanup_firings")
def cleanup_firings() -> int:
    """Remove firings, however they ended, that were due before `firings_kept_days`. Returns how many."""
    return remove(Firing.objects.filter(due__lt=days_ago(engine_settings().firings_kept_days)))


@shared_task(base=MaintenanceTask, repeatable=True, name="cleanup_idempotency_records")
def cleanup_idempotency_records() -> int:
    """Remove records of jobs done before `records_kept_days` that answer no duplicates any more. Returns how many."""
    old = days_ago(engine_settings().records_kept_days)
    return remove(IdempotencyRecord.objects.filter(completed_at__lt=old, expires_at__lt=Now()))


@shared_task(base=MaintenanceTask, repeatable=True, name="cleanup_runs")
def cleanup_runs() -> int:
    """Remove from the history what ended before `runs_kept_days`. Returns how many."""
    return remove(JobRun.objects.filter(ended_at__lt=days_ago(engine_settings().runs_kept_days)))
