"""Which hashes together hold a window, exact to the minute. Pure; moments are whole seconds since the epoch.

There is a hash for every minute, one for every hour and one for every day. The last two hold the minutes that are
over; the one that is counted into is beside them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from .windows import Window

Unit = Literal["m", "h", "d", "all"]
SIZES: Final[dict[Unit, int]] = {"m": 60, "h": 3600, "d": 86400, "all": 0}
_LARGER: Final[tuple[tuple[Unit, Unit], ...]] = (("m", "h"), ("h", "d"))


@dataclass(frozen=True, slots=True)
class Slot:
    """A minute, hour or day."""

    unit: Unit
    place: int  # counted from the epoch

    @property
    def begins(self) -> int:
        return self.place * SIZES[self.unit]

    @property
    def ends(self) -> float:
        return math.inf if self.unit == "all" else self.begins + SIZES[self.unit]

    def will_contain(self, minute: int) -> bool:
        """Whether that minute will be added to it."""
        begins = minute * SIZES["m"]
        return self.unit == "all" or (self.unit != "m" and self.begins <= begins < self.begins + SIZES[self.unit])


TOTAL: Final = Slot("all", 0)  # of all times


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The slots of a window."""

    begins: int
    slots: tuple[Slot, ...]


def cover(window: Window, now: float) -> Cover:
    """The window's minutes up to now, the one in which it begins included; of 30 days: the days."""
    if window is Window.D30:
        days = latest("d", window.seconds // SIZES["d"], now)
        return Cover(begins=days[0].begins, slots=days)
    first = int(now - window.seconds) // SIZES["m"] * SIZES["m"]
    return Cover(begins=first, slots=tuple(_exact(first, int(now))))


def latest(unit: Unit, count: int, now: float) -> tuple[Slot, ...]:
    """So many, the oldest first, up to the one in which now is."""
    current = int(now) // SIZES[unit]
    return tuple(Slot(unit, place) for place in range(current - count + 1, current + 1))


def _exact(first: int, now: int) -> Iterator[Slot]:
    """Minutes to the end of the first hour, hours to the end of the first day, and then days."""
    begins = first
    for unit, larger in _LARGER:
        ends = -(-begins // SIZES[larger]) * SIZES[larger]
        yield from _slots(unit, begins, min(ends - 1, now))
        begins = ends
    yield from _slots("d", begins, now)


def _slots(unit: Unit, first: int, last: int) -> Iterator[Slot]:
    """From the one that begins with the first second to the one that holds the last."""
    return (Slot(unit, place) for place in range(first // SIZES[unit], last // SIZES[unit] + 1))
