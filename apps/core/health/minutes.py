"""What the last hour was like, minute by minute and by queue, for small charts.

A busy installation counts a thousand things a minute, of which these are few: a process remembers them of minutes
that are over, and asks only whether the server still has these.
"""

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from ..broker.store import MessageStore
from ..metrics import events
from ..queues import QUEUES
from .queue_numbers import Minute

SHOWN: Final = 60
CLOCKS_APART: Final = 120  # seconds that this machine's clock may go before the server's
COUNTED: Final = {event.encode(): event for event in (events.PUBLISHED, events.STARTED, events.FAILED)}

Minutes = Mapping[str, tuple[Minute, ...]]  # by queue, the oldest first
Counts = Mapping[tuple[str, str], int]  # by event and queue


Found = dict[int, tuple[int, Counts]]  # by minute, counted from the epoch: how many fields, and ours of them


class _Remembered:
    """Minutes of one store that are over, as they were read, with the size of each hash. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._store: MessageStore | None = None
        self._found: Found = {}

    def of(self, store: MessageStore, minutes: Iterable[int]) -> Found:
        with self._lock:
            if self._store is not store:
                self._store, self._found = store, {}
            return {minute: self._found[minute] for minute in minutes if minute in self._found}

    def keep(self, store: MessageStore, found: Found) -> None:
        with self._lock:
            if self._store is store:
                self._found = found


_remembered: Final = _Remembered()


def read_minutes(store: MessageStore, now: datetime) -> Minutes:
    """Raises redis.RedisError."""
    current = int(now.timestamp()) // 60
    minutes = range(current - SHOWN + 1, current + 1)
    remembered = _still_there(store, _remembered.of(store, minutes))
    found = remembered | _read(store, [minute for minute in minutes if minute not in remembered])
    last_over = (int(now.timestamp()) - CLOCKS_APART) // 60 - 1
    _remembered.keep(store, {minute: found[minute] for minute in minutes if minute <= last_over})
    return {
        queue.name: tuple(_minute(minute, found[minute][1], queue.name) for minute in minutes) for queue in QUEUES
    }


def _still_there(store: MessageStore, known: Found) -> Found:
    """Those whose hashes are as large as they were: a server may have lost its data."""
    pipeline = store.client.pipeline(transaction=False)
    for minute in known:
        pipeline.hlen(_key(store, minute))
    sizes: list[Any] = pipeline.execute()
    return {minute: known[minute] for minute, size in zip(known, sizes, strict=True) if size == known[minute][0]}


def _read(store: MessageStore, minutes: list[int]) -> Found:
    pipeline = store.client.pipeline(transaction=False)
    for minute in minutes:
        pipeline.hgetall(_key(store, minute))
    hashes: list[dict[bytes, bytes]] = pipeline.execute()
    return {minute: (len(hash_), _counts(hash_)) for minute, hash_ in zip(minutes, hashes, strict=True)}


def _counts(hash_: Mapping[bytes, bytes]) -> Counts:
    """What is none of ours is ignored."""
    found: dict[tuple[str, str], int] = {}
    for name, value in hash_.items():
        event, _, rest = name.partition(b" ")
        if event in COUNTED and value.isdigit():
            key = COUNTED[event], rest.partition(b" ")[0].decode(errors="replace")
            found[key] = found.get(key, 0) + int(value)
    return found


def _minute(minute: int, counts: Counts, queue: str) -> Minute:
    return Minute(
        at=minute * 60,
        published=counts.get((events.PUBLISHED, queue), 0),
        started=counts.get((events.STARTED, queue), 0),
        failed=counts.get((events.FAILED, queue), 0),
    )


def _key(store: MessageStore, minute: int) -> str:
    return store.key("counts", "m", str(minute))
