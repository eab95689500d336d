"""The entries of a timetable that are to be placed, and how close two of them come."""

from dataclasses import dataclass
from functools import lru_cache
from math import gcd
from typing import NamedTuple

from ..exceptions import DeclarationError
from .patterns import Interval, Pattern, least_wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An entry of a timetable, and where it may be put. Raises DeclarationError without a candidate."""

    name: str
    candidates: tuple[Pattern, ...]  # one: it is fixed
    queue: str = ""
    spacing: int = 0  # minutes that it is apart from the others of its queue, at least; 0: no rule
    busy: int = 0  # minutes that a run takes; 0: not known

    def __post_init__(self) -> None:
        if not self.candidates:
            raise DeclarationError(f"Slot {self.name!r} needs a candidate")


class Closeness(NamedTuple):
    """What a pair of slots counts for."""

    broken: bool
    shared: bool
    gap: int  # minutes


def closenesses(one: Slot, other: Slot) -> list[list[Closeness | None]]:
    """Of each candidate of one, the closeness to each candidate of the other; None: one of the two is never due."""
    spacing = max(one.spacing, other.spacing) if one.queue == other.queue else 0
    busy, other_busy = one.busy, other.busy
    return [
        [closeness(at, other_at, spacing, busy, other_busy) for other_at in other.candidates] for at in one.candidates
    ]


def closeness(at: Pattern, other_at: Pattern, spacing: int, busy: int, other_busy: int) -> Closeness | None:
    if isinstance(at, Interval) and isinstance(other_at, Interval):
        divisor = gcd(at.period, other_at.period)
        return _of_intervals(divisor, (other_at.offset - at.offset) % divisor, spacing, busy, other_busy)
    there, back = least_wait(at, other_at), least_wait(other_at, at)
    return None if there is None or back is None else _of_waits(there, back, spacing, busy, other_busy)


@lru_cache(maxsize=65_536)
def _of_intervals(divisor: int, there: int, spacing: int, busy: int, other_busy: int) -> Closeness:
    """What least_wait says of two intervals hangs on this alone, and most pairs have it in common."""
    return _of_waits(there, -there % divisor, spacing, busy, other_busy)


def _of_waits(there: int, back: int, spacing: int, busy: int, other_busy: int) -> Closeness:
    apart = min(there, back)
    return Closeness(apart < spacing, apart == 0, min(there - busy, back - other_busy))


Tables = dict[tuple[int, int], list[list[Closeness | None]]]
