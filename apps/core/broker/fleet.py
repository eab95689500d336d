"""Who consumes: the owners that the server knows, what each holds, and who waits for which queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    name: str
    alive: bool
    leases: dict[str, int]  # queue -> how many of its messages this owner holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    owners: tuple[Owner, ...]
    scouts: dict[str, str]  # queue -> who watches its list for all
    idle: dict[str, frozenset[str]]  # queue -> living owners who wait for it

    @classmethod
    def read(cls, queues: Sequence[str], reply: Any) -> Self:
        """Out of what lua/fleet.lua says."""
        owners, waiting = reply
        told = [(scout.decode(), frozenset(one.decode() for one in idle)) for scout, *idle in waiting]
        return cls(
            owners=tuple(sorted(map(_owner, owners), key=lambda owner: owner.name)),
            scouts={queue: scout for queue, (scout, _) in zip(queues, told, strict=True) if scout},
            idle={queue: idle for queue, (_, idle) in zip(queues, told, strict=True)},
        )

    def alive(self) -> tuple[Owner, ...]:
        return tuple(owner for owner in self.owners if owner.alive)

    def serve(self, queue: str) -> frozenset[str]:
        """Living owners that are seen to serve the queue. One that is full of another queue's jobs is not."""
        return self.idle[queue] | {owner.name for owner in self.alive() if queue in owner.leases}


def _owner(told: Sequence[Any]) -> Owner:
    name, alive, *counts = told
    leases = {queue.decode(): count for queue, count in zip(counts[::2], counts[1::2], strict=True)}
    return Owner(name=name.decode(), alive=alive == 1, leases=dict(sorted(leases.items())))
