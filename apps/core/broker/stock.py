"""Messages of kombu's own Redis transport, and the way from there to this one and back with none lost.

Both keep what waits in the same lists. They differ in what is claimed (stock: the hash `unacked`; here: leases) and
in what is delayed (stock: claimed, in a worker's memory; here: a sorted set).
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import redis

from ..conf import engine_settings
from ..context import READY_AT_HEADER
from ..owners import owner_id
from ..queues import QUEUE_BY_NAME
from .listeners import listeners
from .store import PRIORITY_SEPARATOR, MessageStore

PORTION: Final = 500
RESCUED_WITHIN: Final = 15.0  # seconds for what dead workers of this transport held
STEPS: Final = (9, 6, 3, 0)  # kombu's priorities


class MoveRefusedError(Exception):
    """Messages would be lost or stay behind, or jobs run twice; the message says what to do first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    ready: int
    since: float | None  # moment from which the longest wait counts; None: none waits, or it does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    messages: int
    left: dict[str, int]  # what stays where it is: why -> how many


def waiting_of_stock(client: redis.Redis, prefix: str, queue: str) -> Waiting:
    """What lies in a queue's lists, on any Redis transport."""
    names = [prefix + list_of(queue, step) for step in STEPS]
    lengths = [int(client.llen(name)) for name in names]
    lasts: list[Any] = [client.lindex(name, -1) for name, length in zip(names, lengths, strict=True) if length]
    moments = [moment for last in lasts if last and (moment := _ready_at(last)) is not None]
    return Waiting(ready=sum(lengths), since=min(moments, default=None))


def take_over(store: MessageStore, *, force: bool = False) -> Moved:
    """Adopt what dead stock workers had claimed: it goes back to the head of its lists, the oldest first.

    Only their death makes that safe: a job that still runs there would run here, too. So this refuses while a worker
    listens that does not say it is one of this transport; `force` is for whoever knows better.
    Raises MoveRefusedError.
    """
    if not force:
        _refuse_while_stock_workers_live()
    left: Counter[str] = Counter()
    adopted = 0
    for tag, value in _claimed_by_stock(store):
        try:
            (message, exchange, routing_key) = json.loads(value)
            queue = routing_key if not exchange else _bound_queue(store, exchange, routing_key)
            target = list_of(queue, _step(message["properties"].get("priority")))
        except (ValueError, TypeError, KeyError, AttributeError):
            left["unreadable"] += 1
            continue
        if queue not in QUEUE_BY_NAME:
            left[f"of the unknown queue {queue!r}"] += 1
        elif store.adopt(tag, value, target, json.dumps(message)):
            adopted += 1
    return Moved(messages=adopted, left=dict(left))


def hand_over(store: MessageStore, *, force: bool = False) -> Moved:
    """Make every message reachable for stock workers: what is delayed goes into its list before it is due.

    What dead workers of this transport held is given back first, as any living one would do it. Refuses while one
    lives (unless `force`), while messages are leased, and for a paused queue: stock workers know no pause.
    Raises MoveRefusedError.
    """
    names = list(QUEUE_BY_NAME)
    alive = [owner.name for owner in store.fleet(names).alive() if owner.name != owner_id()]
    if alive and not force:
        raise MoveRefusedError(f"These workers still run: {', '.join(alive)}. Stop them first, or use --force.")
    paused = [name for name, depth in store.depths(names).items() if depth.pause]
    if paused:
        raise MoveRefusedError(f"Paused, which stock workers would ignore: {', '.join(paused)}. Resume them first.")
    if not alive:
        _rescue(store, names)
    leased = sum(sum(owner.leases.values()) for owner in store.fleet(names).owners)
    if leased:
        raise MoveRefusedError(f"{leased} messages are in the hands of workers. Stop these, and try again.")
    moved = 0
    for name in names:
        while count := store.hand_over(name, PORTION):
            moved += count
    stuck = {f"delayed in {name}": depth.delayed for name, depth in store.depths(names).items() if depth.delayed}
    return Moved(messages=moved, left=stuck)


def list_of(queue: str, step: int) -> str:
    """The name that kombu gives to the list of this priority."""
    return f"{queue}{PRIORITY_SEPARATOR}{step}" if step else queue


def _refuse_while_stock_workers_live() -> None:
    found = listeners()
    if found.stock:
        raise MoveRefusedError(
            f"These workers run on the stock transport: {', '.join(found.stock)}. Stop them first, or use --force."
        )
    if found.silent:
        raise MoveRefusedError(
            f"{found.silent} workers are connected and do not say which transport they have: they are busy, or hang. "
            "Stop them first; use --force only if they are none of the stock transport."
        )


def _claimed_by_stock(store: MessageStore) -> Iterator[tuple[str, bytes]]:
    """Tag and value, the one that was claimed last first, so that the oldest ends at the head of its list."""
    client: Any = store.client
    claimed: dict[bytes, bytes] = dict(client.hscan_iter(f"{store.prefix}unacked", count=PORTION))
    order: dict[bytes, float] = dict(client.zrange(f"{store.prefix}unacked_index", 0, -1, withscores=True))
    for tag in sorted(claimed, key=lambda tag: order.get(tag, 0.0), reverse=True):
        yield tag.decode(), claimed[tag]


def _bound_queue(store: MessageStore, exchange: str, routing_key: str) -> str:
    """The queue that a direct exchange names for this key, as kombu notes it on the server."""
    bindings: set[bytes] = store.connections.call("SMEMBERS", f"{store.prefix}_kombu.binding.{exchange}")
    for binding in bindings:
        key, _, queue = binding.decode().split(PRIORITY_SEPARATOR)
        if key == routing_key:
            return queue
    raise KeyError(exchange)


def _step(priority: Any) -> int:
    """The step whose list holds messages of this priority."""
    number = min(max(int(priority or 0), 0), 9)
    return next(step for step in STEPS if number >= step)


def _ready_at(text: bytes) -> float | None:
    try:
        message = json.loads(text)
        stamped = message.get("ready_at", (message.get("headers") or {}).get(READY_AT_HEADER))
    except (ValueError, AttributeError):
        return None
    return float(stamped) if isinstance(stamped, int | float) else None


def _rescue(store: MessageStore, names: list[str]) -> None:
    """Beat as a worker would until nobody who is dead holds anything, with all the caution of the scripts."""
    until = time.monotonic() + RESCUED_WITHIN
    try:
        while any(owner.leases for owner in store.fleet(names).owners) and time.monotonic() < until:
            store.pulse([owner_id()], queues=[], all_queues=names)
            time.sleep(engine_settings().heartbeat_every / 2)
    finally:
        store.leave(owner_id(), [])
