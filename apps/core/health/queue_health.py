"""How a queue stands and how it has fared, and its workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..broker.status import QueueStatus
from ..queues import Queue
from .queue_numbers import QueueNumbers

if TYPE_CHECKING:
    from ..broker.cards import Card


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueHealth:
    queue: Queue
    status: QueueStatus  # what waits, and who serves it
    numbers: QueueNumbers | None  # None: not known

    @property
    def name(self) -> str:
        return self.queue.name


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHealth:
    """A process that consumes, as the broker knows it."""

    owner: str
    alive: bool
    leases: Mapping[str, int]  # queue -> how many of its messages this one holds
    card: "Card | None"  # what it says of itself; None: nothing, or not known

    @property
    def name(self) -> str:
        """For people: Celery's name for the node, where it has told that."""
        return self.card.node if self.card is not None else self.owner

    def serves(self, queue: str) -> bool:
        """By what it says of itself, or by what it holds."""
        return queue in self.leases or (self.card is not None and queue in self.card.queues)
