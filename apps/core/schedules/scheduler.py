"""Beat's scheduler: each job that it enqueues carries the due instant it stands for."""

from copy import copy
from datetime import UTC, datetime
from typing import Any

from celery.beat import PersistentScheduler, ScheduleEntry
from celery.result import AsyncResult
from celery.schedules import crontab

from ..context import HEADERS
from .firings import latest_firing


class FiringScheduler(PersistentScheduler):
    """Celery's own scheduler, with the firing instant in every message."""

    def apply_async(
        self, entry: ScheduleEntry, producer: Any = None, advance: bool = True, **kwargs: Any
    ) -> AsyncResult[Any]:
        due: Any = self.reserve(entry) if advance else entry
        result: AsyncResult[Any] = super().apply_async(
            stamped(due, datetime.now(UTC)), producer, advance=False, **kwargs
        )
        return result


def stamped(entry: ScheduleEntry, now: datetime) -> ScheduleEntry:
    """A copy of `entry` whose job carries its firing; a plain interval has no due instants and gets none."""
    if not isinstance(entry.schedule, crontab):
        return entry
    firing = latest_firing(entry.schedule, now)
    fired = copy(entry)
    options = entry.options or {}
    headers = options.get("headers") or {}
    fired.options = {**options, "headers": {**headers, HEADERS["firing"]: firing.isoformat()}}
    return fired
