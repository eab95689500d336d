"""Where a job's message is: for somebody who asks about one job.

Nothing on the server is found by a job's id, so lists are read from the end at which they are claimed, a portion at a
time, and only so far. What moves meanwhile may be missed; nothing is changed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from ..owners.identity import owner_key
from ..queues import QUEUES
from . import quarantine
from .quarantine import Quarantined
from .store import PRIORITY_SEPARATOR, MessageStore

PORTION: Final = 500  # messages in one reply
LOOKED_AT: Final = 50_000  # messages of one list, one delayed set, or the quarantine, unless somebody is in a hurry
STEPS: Final = ("", *(f"{PRIORITY_SEPARATOR}{step}" for step in (3, 6, 9)))  # in the order in which they are claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    kind: Literal["waiting", "delayed", "leased", "quarantined"]
    queue: str
    text: bytes  # the message
    ahead: int = 0  # of a waiting one: how many of its queue are claimed before it
    due: float | None = None  # of a delayed one
    owner: str | None = None  # of a leased one
    owner_alive: bool = False
    quarantined: Quarantined | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    places: tuple[Place, ...]  # more than one where a job was enqueued again, as for its retry
    revoked_at: float | None
    history: tuple[str, ...]  # of trouble: "<moment> <event> <owner>"
    complete: bool  # False: some list or set is longer than what was looked at


def find(store: MessageStore, job: str, *, most: int = LOOKED_AT) -> Whereabouts:
    """`most`: messages of each list, set or hash that are looked at. Raises redis.RedisError."""
    search = _Search(store, job, most)
    places = tuple(search.places())
    revoked = store.connections.call("ZSCORE", store.key("revoked"), job)
    (history,) = store.troubles([job])
    return Whereabouts(
        places=places,
        revoked_at=None if revoked is None else float(revoked),
        history=tuple(history),
        complete=search.complete,
    )


class _Search:
    def __init__(self, store: MessageStore, job: str, most: int) -> None:
        self.complete = True
        self._most = most
        self._store = store
        self._call = store.connections.call
        self._job = job
        self._needle = json.dumps(job).encode()

    def places(self) -> Iterator[Place]:
        for queue in (queue.name for queue in QUEUES):
            yield from self._waiting(queue)
            yield from self._delayed(queue)
        yield from self._leased()
        yield from self._quarantined()

    def _waiting(self, queue: str) -> Iterator[Place]:
        before = 0
        for step in STEPS:
            key = f"{self._store.prefix}{queue}{step}"
            length = int(self._call("LLEN", key))
            self.complete = self.complete and length <= self._most
            for start in range(0, min(length, self._most), PORTION):
                texts = self._call("LRANGE", key, -start - PORTION, -start - 1)
                for ahead, text in enumerate(reversed(texts), before + start):
                    if self._is_its(text):
                        yield Place(kind="waiting", queue=queue, text=text, ahead=ahead)
            before += length

    def _delayed(self, queue: str) -> Iterator[Place]:
        key = self._store.key("delayed", queue)
        size = int(self._call("ZCARD", key))
        self.complete = self.complete and size <= self._most
        for start in range(0, min(size, self._most), PORTION):
            for entry in self._call("ZRANGE", key, start, start + PORTION - 1):
                if self._is_its(text := _text_of(entry)):
                    due = self._call("ZSCORE", key, entry)
                    yield Place(kind="delayed", queue=queue, text=text, due=None if due is None else float(due))

    def _leased(self) -> Iterator[Place]:
        for name in self._call("SMEMBERS", self._store.key("owners")):
            owner = name.decode()
            for entry in self._call("HVALS", self._store.key("leases", owner)):
                if self._is_its(text := _text_of(entry)):
                    queue = entry.partition(b"\n")[0].decode(errors="replace").partition(PRIORITY_SEPARATOR)[0]
                    alive = self._call("EXISTS", self._store.prefix + owner_key(owner)) == 1
                    yield Place(kind="leased", queue=queue, text=text, owner=owner, owner_alive=alive)

    def _quarantined(self) -> Iterator[Place]:
        self.complete = self.complete and quarantine.count(self._store) <= self._most
        for one in islice(quarantine.each(self._store), self._most):
            if one.job == self._job:
                yield Place(kind="quarantined", queue=one.queue, text=one.text, quarantined=one)

    def _is_its(self, text: bytes) -> bool:
        if self._needle not in text:
            return False
        try:
            message: Any = json.loads(text)
            return bool(message["headers"]["id"] == self._job)
        except (ValueError, TypeError, LookupError, RecursionError):
            return False


def _text_of(entry: bytes) -> bytes:
    return entry.partition(b"\n")[2]
