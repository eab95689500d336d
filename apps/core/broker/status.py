"""How the broker stands, for people and monitors: read in a few round trips, however many messages wait.

What is not known is None, never 0.
"""

import time
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Final

import redis

from ..logs import redact
from ..queues import QUEUES, Queue
from . import quarantine
from .depths import Pause
from .fleet import Owner
from .server_facts import ServerFacts
from .stock import waiting_of_stock
from .store import MessageStore

RECORDS_LOOKED_AT: Final = 500  # in quarantine, to say for which reasons they are there


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    queue: Queue
    ready: int | None = None
    delayed: int | None = None
    leased: int | None = None
    oldest_age_seconds: float | None = None  # None where nothing waits, too
    pause: Pause | None = None
    waits: int | None = None  # living owners that wait for its messages
    serve: int | None = None  # living owners that wait for them or hold some
    scout: str | None = None  # who watches its list for all


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineStatus:
    count: int
    by_reason: dict[str, int]
    looked_at: int  # records that `by_reason` counts; fewer than `count` where there are very many


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    at: float  # by this machine's clock
    is_leased: bool
    unreachable: str = ""  # why the server could not be asked
    refused: str = ""  # the server's reason for taking no writes
    facts: ServerFacts | None = None
    queues: tuple[QueueStatus, ...]
    owners: tuple[Owner, ...] | None = None
    quarantine: QuarantineStatus | None = None
    claimed_by_stock: int | None = None  # messages in the hands, or memory, of workers of the stock transport


def read_status(store: MessageStore, *, is_leased: bool) -> Status:
    """`is_leased`: else the messages are those of the stock transport, which knows less of them."""
    try:
        return _leased_status(store) if is_leased else _stock_status(store.client, store.prefix)
    except redis.RedisError as error:
        return Status(
            at=time.time(),
            is_leased=is_leased,
            unreachable=redact(f"{type(error).__name__}: {error}"),
            queues=tuple(QueueStatus(queue=queue) for queue in QUEUES),
        )


def _leased_status(store: MessageStore) -> Status:
    refused = _refusal(store.client, store.key("writable"))
    names = [queue.name for queue in QUEUES]
    depths, fleet = store.depths(names), store.fleet(names)
    looked_at = list(islice(quarantine.each(store), RECORDS_LOOKED_AT))
    return Status(
        at=time.time(),
        is_leased=True,
        refused=refused,
        facts=server_facts(store.client),
        queues=tuple(
            QueueStatus(
                queue=queue,
                ready=depths[queue.name].ready,
                delayed=depths[queue.name].delayed,
                leased=depths[queue.name].leased,
                oldest_age_seconds=depths[queue.name].oldest_age_seconds,
                pause=depths[queue.name].pause,
                waits=len(fleet.idle[queue.name]),
                serve=len(fleet.serve(queue.name)),
                scout=fleet.scouts.get(queue.name),
            )
            for queue in QUEUES
        ),
        owners=fleet.owners,
        quarantine=QuarantineStatus(
            count=quarantine.count(store),
            by_reason=dict(Counter(one.reason for one in looked_at).most_common()),
            looked_at=len(looked_at),
        ),
        claimed_by_stock=_claimed_by_stock(store.client, store.prefix),
    )


def _stock_status(client: redis.Redis, prefix: str) -> Status:
    now = time.time()
    waiting = {queue.name: waiting_of_stock(client, prefix, queue.name) for queue in QUEUES}
    return Status(
        at=now,
        is_leased=False,
        refused=_refusal(client, f"{prefix}bgjobs:writable"),
        facts=server_facts(client),
        queues=tuple(
            QueueStatus(
                queue=queue,
                ready=waiting[queue.name].ready,
                oldest_age_seconds=None if (since := waiting[queue.name].since) is None else max(now - since, 0.0),
            )
            for queue in QUEUES
        ),
        claimed_by_stock=_claimed_by_stock(client, prefix),
    )


def server_facts(client: redis.Redis) -> ServerFacts | None:
    """None where this user may not ask."""
    try:
        return ServerFacts.read(client.info())
    except redis.ResponseError:
        return None


def _claimed_by_stock(client: redis.Redis, prefix: str) -> int | None:
    """None where this user may not look, as one that never had to do with stock workers need not."""
    try:
        return int(client.hlen(f"{prefix}unacked"))
    except redis.ResponseError:
        return None


def _refusal(client: redis.Redis, key: str) -> str:
    """The server's reason for taking no writes, or ''. Nothing is changed: the key's number is not counted up."""
    try:
        client.incrby(key, 0)
    except redis.ResponseError as error:
        return redact(str(error))
    return ""
