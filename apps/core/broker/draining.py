"""Waiting until queues are empty."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import redis

from .depths import QueueDepth
from .store import MessageStore

EVERY: Final = 0.5  # seconds between two looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`left` of queues where something is ready, delayed or leased; None while the server does not answer."""

    left: dict[str, QueueDepth] | None

    @property
    def is_empty(self) -> bool:
        return self.left is not None and not self.left


def looks(store: MessageStore, queues: Sequence[str], *, timeout: float) -> Iterator[Look]:
    """One look after the other, up to the first that finds nothing, or to the end of the time. At least one."""
    until = time.monotonic() + timeout
    while True:
        look = _look(store, queues)
        yield look
        rest = until - time.monotonic()
        if look.is_empty or rest <= 0:
            return
        time.sleep(min(EVERY, rest))


def _look(store: MessageStore, queues: Sequence[str]) -> Look:
    try:
        depths = store.depths(queues)
    except redis.RedisError:
        return Look(left=None)
    return Look(left={name: depth for name, depth in depths.items() if depth.ready or depth.delayed or depth.leased})
