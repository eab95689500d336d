"""One entry of the timetable, as data."""

from dataclasses import dataclass, field
from typing import Any

from celery.schedules import ParseException, crontab

from ..exceptions import DeclarationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A task that is due at the minutes of a cron expression, in UTC. Raises DeclarationError for a bad one."""

    name: str
    task: str  # the task's registered name
    cron: str  # minute hour day-of-month month day-of-week
    expires: float  # seconds after which a job that has not started is dropped: the next firing does its work
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.crontab()
        if self.expires <= 0:
            raise DeclarationError(f"Entry {self.name!r} needs expires above 0 seconds, not {self.expires!r}")

    def crontab(self) -> crontab:
        try:
            return crontab.from_string(self.cron)
        except (ParseException, ValueError) as error:
            raise DeclarationError(
                f"Entry {self.name!r} has the cron expression {self.cron!r}, which is none: {error}"
            ) from None

    def as_beat_entry(self) -> dict[str, Any]:
        """The entry as Celery's `beat_schedule` wants it. The queue is the task's own and never named here."""
        return {
            "task": self.task,
            "schedule": self.crontab(),
            "args": self.args,
            "kwargs": self.kwargs,
            "options": {"expires": self.expires},
        }
