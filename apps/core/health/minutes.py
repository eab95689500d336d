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
from ..metrics.histogram import Histogram
from ..queues import QUEUES
from .queue_numbers import Minute

SHOWN: Final = 60
CLOCKS_APART: Final = 120  # seconds that this machine's clock may go before the server's
COUNTED: Final = {event.encode(): event for event in (events.PUBLISHED, events.STARTED, events.FAILED)}
WAITS: Final = events.BUCKETS["wait"].encode()

Minutes = Mapping[str, tuple[Minute, ...]]  # by queue, the oldest first
Counts = Mapping[tuple[str, str], int]  # by event, or place of a wait among the edges, and queue
Found = dict[int, tuple[int, Mapping[str, Minute]]]  # by minute, counted from the epoch: size of its hash; by queue


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
    return {queue.name: tuple(found[minute][1][queue.name] for minute in minutes) for queue in QUEUES}


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
    return {minute: (len(hash_), _of_queues(minute, hash_)) for minute, hash_ in zip(minutes, hashes, strict=True)}


def _of_queues(minute: int, hash_: Mapping[bytes, bytes]) -> Mapping[str, Minute]:
    counts = _counts(hash_)
    return {queue.name: _minute(minute, counts, queue.name) for queue in QUEUES}


def _counts(hash_: Mapping[bytes, bytes]) -> Counts:
    """What is none of ours is ignored."""
    found: dict[tuple[str, str], int] = {}
    for name, value in hash_.items():
        event, _, rest = name.partition(b" ")
        queue, _, rest = rest.partition(b" ")
        counted = rest.partition(b" ")[0].decode(errors="replace") if event == WAITS else COUNTED.get(event)
        if counted is not None and value.isdigit():
            key = counted, queue.decode(errors="replace")
            found[key] = found.get(key, 0) + int(value)
    return found


def _minute(minute: int, counts: Counts, queue: str) -> Minute:
    places = range(len(events.EDGES) + 1)
    waits = Histogram(
        edges=events.EDGES, buckets=[counts.get((str(place), queue), 0) for place in places], sum_seconds=0.0
    )
    return Minute(
        at=minute * 60,
        published=counts.get((events.PUBLISHED, queue), 0),
        started=counts.get((events.STARTED, queue), 0),
        failed=counts.get((events.FAILED, queue), 0),
        wait_p95=waits.percentile(0.95),
    )


def _key(store: MessageStore, minute: int) -> str:
    return store.key("counts", "m", str(minute))
