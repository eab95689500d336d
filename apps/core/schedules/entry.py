"""One entry of the timetable, as data."""

from dataclasses import dataclass, field
from typing import Any

from celery.schedules import ParseException, crontab

from ..exceptions import DeclarationError
from .beat_schedule import EntrySchedule
from .catch_up import CatchUp, Overlap, Policy
from .every import Every
from .firings import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A task, and when it is due, in UTC. Raises DeclarationError for what cannot be."""

    name: str
    task: str  # the task's registered name
    when: str | Every  # cron text: minute hour day-of-month month day-of-week; or every(minutes=, offset=)
    expires: float  # seconds after which a job that has not started is dropped: the next firing does its work
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    catch_up: CatchUp = "one"  # what is fired of the instants that were missed while no beat ran
    catch_up_window: float = 86_400.0  # seconds: an instant older than this is never fired
    overlap: Overlap = "allow"  # skip: not fired while the job of an earlier firing has not ended

    def __post_init__(self) -> None:
        try:
            _ = self.schedule, self.policy
        except DeclarationError as error:
            raise DeclarationError(f"Entry {self.name!r}: {error}") from None
        if self.expires <= 0:
            raise DeclarationError(f"Entry {self.name!r} needs expires above 0 seconds, not {self.expires!r}")

    @property
    def schedule(self) -> Schedule:
        if isinstance(self.when, Every):
            return self.when
        try:
            return crontab.from_string(self.when)
        except (ParseException, ValueError, AttributeError) as error:
            raise DeclarationError(
                f"when={self.when!r} is neither cron text nor every(minutes=, offset=): {error}"
            ) from None

    @property
    def policy(self) -> Policy:
        return Policy(catch_up=self.catch_up, catch_up_window=self.catch_up_window, overlap=self.overlap)

    def as_beat_entry(self) -> dict[str, Any]:
        """The entry as Celery's `beat_schedule` wants it. The queue is the task's own and never named here."""
        return {
            "task": self.task,
            "schedule": EntrySchedule(self),
            "args": self.args,
            "kwargs": self.kwargs,
            "options": {"expires": self.expires},
        }
