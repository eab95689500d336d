"""An entry's schedule in Celery's own `beat_schedule`, which any scheduler of Celery can follow."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from celery.schedules import BaseSchedule, schedstate

from .firings import next_firing

if TYPE_CHECKING:
    from .entry import Entry


class EntrySchedule(BaseSchedule):
    """Due as its entry is. FiringScheduler finds the entry's policies here, too; others know none."""

    def __init__(self, entry: "Entry", **options: Any) -> None:
        super().__init__(**options)
        self.entry = entry

    def remaining_estimate(self, last_run_at: datetime) -> timedelta:
        return next_firing(self.entry.schedule, self.maybe_make_aware(last_run_at)) - self.now()

    def is_due(self, last_run_at: datetime) -> Any:
        """Celery's pair: whether it is due, and in how many seconds it is due next."""
        is_due = self.remaining_estimate(last_run_at) <= timedelta()
        return schedstate(is_due, self.remaining_estimate(self.now()).total_seconds())

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.entry,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EntrySchedule) and other.entry == self.entry

    __hash__ = None  # type: ignore[assignment] # as all of Celery's

    def __repr__(self) -> str:
        return f"<{self.entry.when}>"
