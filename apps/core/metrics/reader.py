"""The read side of the numbers: everything here is one round trip, or two where the server has lost its data.

Raises redis.RedisError.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import NoScriptError

from .finished import NOTHING, Finished, Hash, are_over, numbers_in, remembered
from .numbers import Numbers
from .spans import SIZES, TOTAL, Slot, cover, latest
from .windows import Window

if TYPE_CHECKING:
    from ..broker.store import MessageStore

__all__ = ["Window", "per_minute", "read", "totals"]

NO_COUNTS: Final[Hash] = {}


def read(store: "MessageStore", window: Window, *, now: datetime | None = None) -> Numbers:
    """What happened in this window: exact to the minute in which it begins; in that of 30 days, to the day."""
    moment = _seconds(now)
    covered = cover(window, moment)
    total = _total(store, window, covered.slots, moment, remembered.of(store, window))
    return Numbers.read(total, span_seconds=moment - covered.begins)


def _total(
    store: "MessageStore", window: Window, slots: Sequence[Slot], now: float, known: Finished
) -> Mapping[bytes, int]:
    """The sum of these slots; of those that are over, `known` is what they came to at an earlier look."""
    over = set(are_over(slots, now))
    kept = [slot for slot in known.sizes if slot in over]
    gone = [slot for slot in known.sizes if slot not in over]
    rest = [slot for slot in slots if slot not in known.sizes or slot not in over]
    if len(gone) > len(over):  # to begin anew is less
        return _total(store, window, slots, now, NOTHING)
    pairs, sizes = _ask(store, [*rest, *gone], kept)
    read_now = dict(zip([*rest, *gone], pairs, strict=True))
    found = dict(zip(kept, sizes, strict=True)) | {slot: len(read_now[slot][0]) for slot in gone}
    if found != known.sizes:  # the server has lost what was counted
        return _total(store, window, slots, now, NOTHING)
    closed = [slot for slot in rest if slot in over and not read_now[slot][1]]
    done = known.changed(
        ((slot, read_now[slot][0]) for slot in closed),
        ((slot, read_now[slot][0]) for slot in gone),
    )
    remembered.keep(store, window, done)
    still_open = (hash_ for slot in rest if slot not in done.sizes for hash_ in read_now[slot])
    return _sum([done.total, *map(numbers_in, still_open)])


def totals(store: "MessageStore") -> Numbers:
    """All that was ever counted. Its span is infinite: since when, nobody knows."""
    (pair,), _ = _ask(store, [TOTAL])
    return Numbers.read(_sum(map(numbers_in, pair)), span_seconds=math.inf)


def per_minute(store: "MessageStore", minutes: int, *, now: datetime | None = None) -> list[tuple[datetime, Numbers]]:
    """So many minutes, each with its beginning, the oldest first. The last one is not over."""
    moment = _seconds(now)
    slots = latest("m", minutes, moment)
    return [
        (
            datetime.fromtimestamp(slot.begins, UTC),
            Numbers.read(_sum(map(numbers_in, pair)), span_seconds=min(SIZES["m"], moment - slot.begins)),
        )
        for slot, pair in zip(slots, _ask(store, slots)[0], strict=True)
    ]


def _ask(
    store: "MessageStore", slots: Sequence[Slot], sized: Sequence[Slot] = ()
) -> tuple[list[tuple[Hash, Hash]], list[int]]:
    """Of each slot its hash, and that of the open minute where it will contain it; of others their sizes.

    One transaction: else a minute that ends while somebody reads would count twice, or not at all.
    """
    try:
        (minute, opened), *found = _replies(store, slots, sized)
    except NoScriptError:
        store.script("close_minute").load()
        (minute, opened), *found = _replies(store, slots, sized)
    beside = dict(zip(opened[::2], opened[1::2], strict=True)) if minute else NO_COUNTS
    hashes = [
        (hash_, beside if minute and slot.will_contain(int(minute)) else NO_COUNTS)
        for slot, hash_ in zip(slots, found, strict=False)
    ]
    return hashes, found[len(slots) :]


def _replies(store: "MessageStore", slots: Sequence[Slot], sized: Sequence[Slot]) -> list[Any]:
    pipeline = store.client.pipeline(transaction=True)
    store.script("close_minute").add_to(pipeline, args=[store.prefix])
    for slot in slots:
        pipeline.hgetall(_key(store, slot))
    for slot in sized:
        pipeline.hlen(_key(store, slot))
    replies: list[Any] = pipeline.execute()
    return replies


def _sum(parts: Iterable[Mapping[bytes, int]]) -> dict[bytes, int]:
    total: defaultdict[bytes, int] = defaultdict(int)
    for part in parts:
        for name, number in part.items():
            total[name] += number
    return total


def _key(store: "MessageStore", slot: Slot) -> str:
    return store.key("counts", "total") if slot == TOTAL else store.key("counts", slot.unit, str(slot.place))


def _seconds(now: datetime | None) -> float:
    return (now or datetime.now(UTC)).timestamp()
