"""What is known of one job, as it was found."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ..broker.depths import Pause
from ..broker.whereabouts import Place, Whereabouts
from ..dead_letters.models import DeadLetter
from .headers import Headers

if TYPE_CHECKING:
    from ..idempotency import Record
    from ..outbox.models import OutboxMessage
    from ..runs.models import JobRun
    from ..schedules.models import Firing

ORDER: Final = ("leased", "waiting", "delayed", "quarantined")  # of places: what counts first


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """A job in the hands of a worker that says what it runs."""

    node: str
    pid: int | None
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a running job says it is. It comes from the job, so it may be anything."""

    done: int
    total: int
    note: str

    @property
    def share(self) -> float:
        return self.done / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Why jobs of one task are parked by an operator."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """A job that this one has enqueued, or that has enqueued it."""

    job: str
    task: str
    event: str  # how its latest known attempt ended


@dataclass(slots=True, kw_only=True)
class Story:
    """What is not known is None: a server that did not answer is named in `unknown`."""

    job: str
    at: datetime  # the moment that it was asked for
    row: "OutboxMessage | None" = None  # in the outbox
    whereabouts: Whereabouts | None = None
    looked_at: int | None = None  # messages of each list, where not all were
    pauses: dict[str, Pause] = field(default_factory=dict)  # of queues in which it is
    served: dict[str, bool] = field(default_factory=dict)  # whether a living worker serves them
    finishing: dict[str, float] = field(default_factory=dict)  # how many of their jobs end in a minute now
    stop: Stop | None = None  # its task's
    working: Working | None = None
    silent_since: datetime | None = None  # the owner of its lease
    parked_behind: str | None = None  # the service whose breaker it waits for
    parked_until: datetime | None = None
    letters: tuple[DeadLetter, ...] = ()  # the latest first
    runs: "tuple[JobRun, ...]" = ()  # ended attempts, the first one first
    firing: "Firing | None" = None  # of the timetable, that enqueued it
    key: "Record | None" = None  # what is stored under its idempotency key
    key_name: str | None = None
    state: str | None = None  # of its stored result, as Celery names it
    progress: Progress | None = None
    duplicate_of: str | None = None  # the job whose result is its own
    children: tuple[Relative, ...] = ()
    strange_to: str | None = None  # where its task is not known here: the nearest name that is; "": none is near
    most_retries: int | None = None  # of its task; None: no end, or not known
    unknown: list[str] = field(default_factory=list)

    @property
    def message(self) -> bytes | None:
        """The latest that is known of it."""
        if self.whereabouts is not None and self.whereabouts.places:
            return self.whereabouts.places[0].text
        if self.row is not None:
            return self.row.message.encode()
        return bytes(self.letters[0].message) if self.letters else None

    @property
    def headers(self) -> Headers:
        """What its message says of itself; empty where there is none."""
        return Headers.read(self.message)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where it is on the broker: what counts now first."""
        found = self.whereabouts.places if self.whereabouts else ()
        return tuple(sorted(found, key=lambda one: ORDER.index(one.kind)))

    @property
    def open_letter(self) -> DeadLetter | None:
        return next((one for one in self.letters if one.state == DeadLetter.State.OPEN), None)

    @property
    def task(self) -> str | None:
        if found := self.headers.task:
            return found
        ended: list[JobRun | DeadLetter] = [*self.runs, *self.letters]
        return next((one.task for one in ended if one.task), None)

    @property
    def queue(self) -> str | None:
        """That it was in when something was last seen of it."""
        if self.places:
            return self.places[0].queue
        if self.row is not None:
            return self.row.queue
        ended: list[JobRun | DeadLetter] = [*reversed(self.runs), *self.letters]
        return next((one.queue for one in ended if one.queue), None)


def is_known(story: Story) -> bool:
    whereabouts = story.whereabouts
    traces = whereabouts and (whereabouts.places or whereabouts.revoked_at or whereabouts.history)
    return bool(story.row or story.letters or story.runs or story.firing or story.state or traces)
