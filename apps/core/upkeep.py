"""What keeps the engine's tables small: one task for each, which the timetable runs once a day."""

from celery import shared_task

from .dead_letters import cleanup as dead_letters
from .schedules import cleanup as firings
from .tasks import MaintenanceTask


@shared_task(base=MaintenanceTask, name="cleanup_dead_letters")
def cleanup_dead_letters() -> int:
    """Remove dead letters that are older than `dead_letters_kept_days`. Returns how many."""
    return dead_letters.remove_old()


@shared_task(base=MaintenanceTask, name="cleanup_firings")
def cleanup_firings() -> int:
    """Remove firings that are older than `firings_kept_days`. Returns how many."""
    return firings.remove_old()
