"""The queues, and what a worker pool is: the one table that every other part reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

from .exceptions import DeclarationError, UnknownQueueError


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    name: str
    rank: int  # of queues among each other; never Celery's message priority, which Redis reads reversed
    sla_seconds: float  # from the moment a job may start to the moment it starts
    carries: str  # what belongs here, in words
    slo_target: float = 0.99  # share of the jobs that start within the SLA, over 30 days
    spacing_minutes: int = 0  # between any two entries of the timetable whose jobs go here


QUEUES: Final = (
    Queue(
        name="critical",
        rank=10,
        sla_seconds=2,
        carries="crisis intervention, security alerts, auto-close, escalation",
        spacing_minutes=15,
    ),
    Queue(name="high_priority", rank=8, sla_seconds=3, carries="user-facing work, biometrics"),
    Queue(name="email", rank=7, sla_seconds=5, carries="e-mail"),
    Queue(name="reports", rank=6, sla_seconds=60, carries="reports, analytics, ML inference"),
    Queue(name="external_api", rank=5, sla_seconds=10, carries="MQTT, third-party APIs"),
    Queue(
        name="maintenance",
        rank=3,
        sla_seconds=300,
        carries="clean-up, cache warming, PPM generation, media moves",
    ),
    Queue(name="ml_training", rank=0, sla_seconds=1800, carries="model training"),
)
QUEUE_BY_NAME: Final = {queue.name: queue for queue in QUEUES}

PoolKind = Literal["prefork", "threads", "solo"]


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for an error message: the known name most like `name`, else all known names."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def queue_named(name: str) -> Queue:
    """The queue called `name`. Raises UnknownQueueError, which names the nearest queue."""
    try:
        return QUEUE_BY_NAME[name]
    except (KeyError, TypeError):
        raise UnknownQueueError(f"There is no queue {name!r}; {nearest(str(name), QUEUE_BY_NAME)}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A group of identical worker slots that serves some queues.

    Raises DeclarationError (UnknownQueueError for a queue) when its fields do not fit together.
    """

    name: str
    queues: tuple[str, ...]  # in strict order: a later one is served only while all earlier ones are empty
    concurrency: int  # slots per machine
    kind: PoolKind = "prefork"
    max_tasks_per_child: int | None = None  # jobs after which a prefork child is replaced; None: never
    max_memory_per_child: int | None = None  # KiB of resident memory, likewise

    def __post_init__(self) -> None:
        if not self.queues:
            raise DeclarationError(f"Pool {self.name!r} serves no queue; name at least one in queues=")
        for queue in self.queues:
            queue_named(queue)
        if self.concurrency < 1:
            raise DeclarationError(f"Pool {self.name!r} needs concurrency >= 1, not {self.concurrency}")
        if self.kind != "prefork" and (self.max_tasks_per_child or self.max_memory_per_child):
            raise DeclarationError(f"Pool {self.name!r}: child limits apply to prefork pools only")

    def worker_arguments(self) -> list[str]:
        """What follows `celery -A APP worker` to start this pool."""
        arguments = [
            f"--queues={','.join(self.queues)}",
            f"--pool={self.kind}",
            f"--concurrency={self.concurrency}",
            f"--hostname={self.name}@%h",
        ]
        if self.max_tasks_per_child:
            arguments.append(f"--max-tasks-per-child={self.max_tasks_per_child}")
        if self.max_memory_per_child:
            arguments.append(f"--max-memory-per-child={self.max_memory_per_child}")
        return arguments
