"""One entry of the timetable, as data."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from celery.schedules import ParseException, crontab

from ..exceptions import DeclarationError
from .beat_schedule import EntrySchedule
from .catch_up import CatchUp, Overlap, Policy
from .every import Every
from .firings import Schedule
from .pattern_of import pattern_of
from .patterns import shortest_period

SLACK: Final = 120.0  # seconds before the next firing at which a job that has not started expires


class NeverFiresError(DeclarationError):
    """A schedule without a single due instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A task, and when it is due, in UTC. Raises DeclarationError for what cannot be."""

    name: str
    task: str  # the task's registered name
    when: str | Every  # cron text: minute hour day-of-month month day-of-week; or every(minutes=, offset=)
    # Seconds after which a job that has not started is dropped: the next firing does its work. None: two minutes
    # before the next firing.
    expires: float | None = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    catch_up: CatchUp = "one"  # what is fired of the instants that were missed while no beat ran
    catch_up_window: float = 86_400.0  # seconds: an instant older than this is never fired
    overlap: Overlap = "allow"  # skip: not fired while the job of an earlier firing has not ended
    spacing: int | None = None  # minutes to any other entry of its queue; None: as the table of queues says
    candidates: tuple[str | Every, ...] = ()  # where else it may stand as well: the best of them is computed

    def __post_init__(self) -> None:
        try:
            _ = self.policy
            for when in (self.when, *self.candidates):
                understood(when)
            if self.candidates and self.when not in self.candidates:
                raise DeclarationError(f"when={str(self.when)!r} is none of its candidates")
            if self.expires is not None and not self.expires > 0:
                raise DeclarationError(f"it needs expires above 0 seconds, not {self.expires!r}")
            if self.spacing is not None and (type(self.spacing) is not int or self.spacing < 0):
                raise DeclarationError(f"it needs a spacing in whole minutes, not {self.spacing!r}")
        except NeverFiresError:
            return  # the check of the whole timetable says so, beside what else is wrong
        except DeclarationError as error:
            raise DeclarationError(f"Entry {self.name!r}: {error}") from None

    @property
    def schedule(self) -> Schedule:
        """Raises NeverFiresError."""
        return understood(self.when)

    @property
    def expires_after(self) -> float | None:
        """Seconds; None where it is never due."""
        if self.expires is not None:
            return self.expires
        try:
            period = shortest_period(pattern_of(self.schedule))
        except NeverFiresError:
            return None
        return max(period * 60 - SLACK, period * 30) if period else None

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
            "options": {"expires": self.expires_after},
        }


def as_beat_schedule(entries: Iterable[Entry]) -> dict[str, Any]:
    """Entries as Celery's `beat_schedule`. Raises DeclarationError for two of one name."""
    found: dict[str, Any] = {}
    for entry in entries:
        if entry.name in found:
            raise DeclarationError(f"The timetable has two entries called {entry.name!r}; give one another name")
        found[entry.name] = entry.as_beat_entry()
    return found


def understood(when: str | Every) -> Schedule:
    """Raises DeclarationError for what is neither cron text nor an interval; NeverFiresError for 31 February."""
    if isinstance(when, Every):
        return when
    try:
        schedule = crontab.from_string(" ".join(when.split()))
    except (ParseException, ValueError, AttributeError) as error:
        if "never occurs" in str(error):
            raise NeverFiresError(f"when={when!r} never fires") from None
        raise DeclarationError(f"when={when!r} is neither cron text nor every(minutes=, offset=): {error}") from None
    return schedule
