"""The read side of the numbers: everything here is one round trip. Raises redis.RedisError."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import NoScriptError

from .numbers import Numbers
from .spans import SIZES, TOTAL, Slot, Unit, cover, latest
from .windows import Window

if TYPE_CHECKING:
    from ..broker.store import MessageStore

__all__ = ["Window", "per_hour", "per_minute", "read", "totals"]

Hash = Mapping[bytes, bytes]
NOTHING: Final[Hash] = {}


def read(store: "MessageStore", window: Window, *, now: datetime | None = None) -> Numbers:
    """What happened in this window: exact to the minute in which it begins; in that of 30 days, to the day."""
    moment = _seconds(now)
    covered = cover(window, moment)
    total = _sum(hash_ for pair in _ask(store, covered.slots) for hash_ in pair)
    return Numbers.read(total, span_seconds=moment - covered.begins)


def totals(store: "MessageStore") -> Numbers:
    """All that was ever counted. Its span is infinite: since when, nobody knows."""
    (pair,) = _ask(store, [TOTAL])
    return Numbers.read(_sum(pair), span_seconds=math.inf)


def per_minute(store: "MessageStore", minutes: int, *, now: datetime | None = None) -> list[tuple[datetime, Numbers]]:
    """So many minutes, each with its beginning, the oldest first. The last one is not over."""
    return _each(store, "m", minutes, _seconds(now))


def per_hour(store: "MessageStore", hours: int, *, now: datetime | None = None) -> list[tuple[datetime, Numbers]]:
    """Likewise hours."""
    return _each(store, "h", hours, _seconds(now))


def _each(store: "MessageStore", unit: Unit, count: int, now: float) -> list[tuple[datetime, Numbers]]:
    slots = latest(unit, count, now)
    return [
        (
            datetime.fromtimestamp(slot.begins, UTC),
            Numbers.read(_sum(pair), span_seconds=min(SIZES[unit], now - slot.begins)),
        )
        for slot, pair in zip(slots, _ask(store, slots), strict=True)
    ]


def _ask(store: "MessageStore", slots: Sequence[Slot]) -> list[tuple[Hash, Hash]]:
    """Of each slot its hash, and that of the open minute where it will contain it.

    One transaction: else a minute that ends while somebody reads would count twice, or not at all.
    """
    try:
        (minute, opened), *found = _replies(store, slots)
    except NoScriptError:
        store.script("close_minute").load()
        (minute, opened), *found = _replies(store, slots)
    beside = dict(zip(opened[::2], opened[1::2], strict=True)) if minute else NOTHING
    return [
        (hash_, beside if minute and slot.will_contain(int(minute)) else NOTHING)
        for slot, hash_ in zip(slots, found, strict=True)
    ]


def _replies(store: "MessageStore", slots: Sequence[Slot]) -> list[Any]:
    pipeline = store.client.pipeline(transaction=True)
    store.script("close_minute").add_to(pipeline, args=[store.prefix])
    for slot in slots:
        pipeline.hgetall(_key(store, slot))
    replies: list[Any] = pipeline.execute()
    return replies


def _sum(hashes: Iterable[Hash]) -> dict[bytes, int]:
    """What is no number is ignored."""
    total: defaultdict[bytes, int] = defaultdict(int)
    for hash_ in hashes:
        for name, value in hash_.items():
            try:
                number = int(value)
            except ValueError:
                continue
            total[name] += number
    return total


def _key(store: "MessageStore", slot: Slot) -> str:
    return store.key("counts", "total") if slot == TOTAL else store.key("counts", slot.unit, str(slot.place))


def _seconds(now: datetime | None) -> float:
    return (now or datetime.now(UTC)).timestamp()
