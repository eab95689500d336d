"""A timetable as it is judged: frozen data, gathered from any Celery application."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from celery.schedules import crontab

from .every import Every
from .patterns import Pattern, shortest_period

UTC_ZONE: Final = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    file: str  # relative to the working directory, where it lies below it
    line: int  # the first of the entry's lines, from 1 on


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """What a registered task says of its jobs."""

    name: str
    queue: str | None  # where its jobs go by themselves; None: the task does not say
    time_limit: float | None  # seconds after which its process is killed
    expires: float | None = None  # seconds, where the task itself says when its jobs do
    of_engine: bool = True  # declared with one of the engine's base classes
    idempotent: bool = False
    key_ignores_firing: bool = False  # its jobs have one key, whatever instant they are of
    ttl: float = 0  # seconds for which a finished job answers its duplicates
    scope: str = "global"  # within which its jobs are duplicates
    repeatable: bool = False  # whether it has been declared that a job which runs twice does no harm

    @property
    def guarded(self) -> bool:
        return self.idempotent or self.repeatable


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry."""

    name: str
    task: str  # by name
    words: str  # its schedule, as it was written
    pattern: Pattern | None  # None: its due minutes cannot be told
    unclear: str = ""  # why not
    zone: str = UTC_ZONE  # in which a crontab is read
    cron: crontab | None = None
    interval: timedelta | None = None  # of one that does not say from when it counts
    floating: bool = False  # such an interval counts from the moment at which beat has started
    expires: float | None = None  # seconds; None: never
    overlap_allowed: bool = True  # whether it is fired though the job of an earlier firing has not ended
    queue: str | None = None  # named by the entry itself
    spacing: int = 0  # minutes to any other entry of its queue
    candidates: tuple[tuple["str | Every", Pattern], ...] = ()  # where else it may stand as well
    facts: TaskFacts | None = None  # None: no such task is registered
    run_seconds: float | None = None  # measured: the 95th percentile; None: not known
    place: Place | None = None  # None: it was not found in the sources

    @property
    def period_seconds(self) -> float | None:
        """The shortest time between two firings; None where it is not known."""
        if self.interval is not None:
            return self.interval.total_seconds()
        minutes = shortest_period(self.pattern) if self.pattern else None
        return minutes * 60.0 if minutes is not None else None

    @property
    def destination(self) -> str | None:
        """The queue that its jobs go to."""
        return self.queue or (self.facts.queue if self.facts else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A comment beside an entry: `# schedules: ignore[SCH102] the reason`."""

    code: str
    reason: str
    place: Place
    entry: str  # its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    lines: tuple[Line, ...]
    at: datetime  # the moment it is looked at from
    tasks: frozenset[str] = frozenset()  # registered names
    undecorated: Mapping[str, Place] = field(default_factory=dict)  # by an entry's task: a plain function of its name
    queues: frozenset[str] = frozenset()  # that there are
    served: frozenset[str] | None = None  # queues that a declared pool takes from; None: no pools are declared
    fires_exactly_once: bool = True  # by the engine's own scheduler, which anchors all intervals to the epoch
    suppressions: tuple[Suppression, ...] = ()
