"""Where a job's message is: for somebody who asks about one job.

Nothing on the server is found by a job's id, so lists are read from the end at which they are claimed, a portion at a
time, and only so far. What moves meanwhile may be missed; nothing is changed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from redis.exceptions import NoScriptError

from ..owners.identity import owner_key
from ..queues import QUEUES
from . import quarantine
from .quarantine import Quarantined
from .store import PRIORITY_SEPARATOR, MessageStore

PORTION: Final = 500  # messages that are looked through in one go
AT_ONCE: Final = 6  # portions in one round trip
LOOKED_AT: Final = 50_000  # messages of one list, one delayed set, or the quarantine, unless somebody is in a hurry
STEPS: Final = ("", *(f"{PRIORITY_SEPARATOR}{step}" for step in (3, 6, 9)))  # in the order in which they are claimed

Command = tuple[Any, ...]


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
        quoted = json.dumps(job).encode()
        self._needle = quoted[1:] if job else quoted  # what begins with a common letter takes longer

    def places(self) -> Iterator[Place]:
        queues = [queue.name for queue in QUEUES]
        lists = [f"{self._store.prefix}{queue}{step}" for queue in queues for step in STEPS]
        delayed = [self._store.key("delayed", queue) for queue in queues]
        sizes = self._all([*(("LLEN", key) for key in lists), *(("ZCARD", key) for key in delayed)])
        lengths = dict(zip([*lists, *delayed], map(int, sizes), strict=True))
        self.complete = all(length <= self._most for length in lengths.values())
        for queue in queues:
            yield from self._waiting(queue, lengths)
            yield from self._delayed(queue, lengths)
        yield from self._leased()
        yield from self._quarantined()

    def _waiting(self, queue: str, lengths: dict[str, int]) -> Iterator[Place]:
        before = 0
        for step in STEPS:
            key = f"{self._store.prefix}{queue}{step}"
            for ahead, text, _ in self._mentions(key, lengths[key]):
                if self._is_its(text):
                    yield Place(kind="waiting", queue=queue, text=text, ahead=before + ahead)
            before += lengths[key]

    def _delayed(self, queue: str, lengths: dict[str, int]) -> Iterator[Place]:
        key = self._store.key("delayed", queue)
        for _, entry, due in self._mentions(key, lengths[key]):
            if self._is_its(text := _text_of(entry)):
                yield Place(kind="delayed", queue=queue, text=text, due=float(due))

    def _leased(self) -> Iterator[Place]:
        owners = [name.decode() for name in self._call("SMEMBERS", self._store.key("owners"))]
        held = self._all([("HVALS", self._store.key("leases", owner)) for owner in owners])
        for owner, entries in zip(owners, held, strict=True):
            for entry in entries:
                if self._is_its(text := _text_of(entry)):
                    queue = entry.partition(b"\n")[0].decode(errors="replace").partition(PRIORITY_SEPARATOR)[0]
                    alive = self._call("EXISTS", self._store.prefix + owner_key(owner)) == 1
                    yield Place(kind="leased", queue=queue, text=text, owner=owner, owner_alive=alive)

    def _mentions(self, key: str, length: int) -> Iterator[tuple[int, bytes, bytes]]:
        """Of what mentions the job: how many come before it, the entry, and when it is due."""
        ends = range(PORTION, min(length, self._most) + PORTION, PORTION)
        portions = [(end - PORTION, min(end, self._most) - end + PORTION) for end in ends]
        for first in range(0, len(portions), AT_ONCE):
            for found in self._portions(key, portions[first : first + AT_ONCE]):
                yield from zip(found[::3], found[1::3], found[2::3], strict=True)

    def _portions(self, key: str, portions: Sequence[tuple[int, int]]) -> list[Any]:
        """One round trip for all of them: each costs more than what it brings."""
        script = self._store.script("find")
        pipeline: Any = self._store.client.pipeline(transaction=False)
        for start, count in portions:
            script.add_to(pipeline, args=[self._store.prefix, self._needle, key, start, count])
        try:
            replies: list[Any] = pipeline.execute()
        except NoScriptError:
            script.load()
            return self._portions(key, portions)
        return replies

    def _all(self, commands: Sequence[Command]) -> list[Any]:
        if not commands:
            return []
        pipeline: Any = self._store.client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        replies: list[Any] = pipeline.execute()
        return replies

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
