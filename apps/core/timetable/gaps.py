"""How near the entries of a timetable come to each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from ..schedules.patterns import least_gap
from ..schedules.timetable import Line
from .due import known_pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    minutes: int  # that is the least there ever are; 0: they share a minute
    to: str  # the other entry's name


def least_gaps(lines: Sequence[Line]) -> list[Gap | None]:
    """Of each line, the least gap to any other of its zone; None: there is none, or its minutes are not known."""
    gaps: list[Gap | None] = [None] * len(lines)
    patterns = [(place, line, known_pattern(line)) for place, line in enumerate(lines)]
    for (here, one, its), (there, other, others) in combinations(patterns, 2):
        if its is None or others is None or one.zone != other.zone:
            continue
        minutes = least_gap(its, others)
        if minutes is None:
            continue
        for place, neighbour in ((here, other), (there, one)):
            gap = gaps[place]
            if gap is None or minutes < gap.minutes:
                gaps[place] = Gap(minutes=minutes, to=neighbour.name)
    return gaps
