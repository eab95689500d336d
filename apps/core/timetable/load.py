"""The load to expect of a timetable, by time of day: from when its entries are due and how long their jobs run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import accumulate
from math import ceil
from typing import Final

from ..schedules.firings import EPOCH
from ..schedules.patterns import DAY, Pattern
from ..schedules.timetable import Line, Timetable
from .due import MINUTE, due_minutes, known_pattern

QUARTER: Final = 15  # minutes that a cell has
CELLS: Final = DAY // QUARTER
SECONDS: Final = QUARTER * 60  # that a cell has
ASSUMED: Final = 60.0  # seconds that a run counts as where none has been measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Of a day, by quarter of an hour. Each cell is of the busiest of the days at that time."""

    seconds: tuple[float, ...]  # of work; jobs that run side by side count each
    starts: tuple[int, ...]  # firings


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The quarter of an hour with the most work."""

    at: datetime  # its start
    seconds: float  # of work
    starts: int  # firings
    names: tuple[str, ...]  # of the entries whose jobs run in it, the most work first


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The load of a timetable from a midnight in UTC on."""

    since: datetime  # that midnight
    days: int  # that are looked at
    loads: tuple[Load | None, ...]  # of each line; None: it has no place in the day
    total: Load
    peak: Peak | None  # None: nothing is due


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """What one line brings, or all of them, by quarter of an hour of all the days."""

    seconds: Sequence[float]
    starts: Sequence[int]


def expected(timetable: Timetable, *, days: int) -> Expected:
    """`days`: how many to look at, from the last midnight in UTC before `timetable.at` on."""
    first = (timetable.at - EPOCH) // MINUTE // DAY * DAY

    @cache  # in large timetables many lines are alike
    def course(pattern: Pattern, zone: str, run: float) -> _Course:
        return _course(due_minutes(pattern, zone, first - ceil(run / 60), first + days * DAY), run, first, days)

    courses = [
        course(pattern, line.zone, ASSUMED if line.run_seconds is None else line.run_seconds)
        if (pattern := known_pattern(line)) is not None
        else None
        for line in timetable.lines
    ]
    known = [each for each in courses if each is not None]
    total = _Course(
        [sum(cell) for cell in zip(*(each.seconds for each in known), strict=True)] or [0.0] * CELLS,
        [sum(cell) for cell in zip(*(each.starts for each in known), strict=True)] or [0] * CELLS,
    )
    load = cache(_busiest)
    return Expected(
        since=EPOCH + first * MINUTE,
        days=days,
        loads=tuple(load(each) if each else None for each in courses),
        total=_busiest(total),
        peak=_peak(timetable.lines, courses, total, first),
    )


def _course(due: Iterable[int], run: float, first: int, days: int) -> _Course:
    """Of firings that may lie before the first minute: their runs may last beyond it."""
    count = days * CELLS
    parts, starts = [0.0] * (count + 1), [0] * count
    edges = [0] * (count + 1)  # where a stretch of cells that a run fills begins (+1) and ends (-1)
    for minute in due:
        start = (minute - first) * 60
        if start >= 0:
            starts[start // SECONDS] += 1
        begin, end = max(start, 0), min(start + run, count * SECONDS)
        if begin >= end:
            continue
        here, there = begin // SECONDS, int(end // SECONDS)
        if here == there:
            parts[here] += end - begin
        else:
            parts[here] += (here + 1) * SECONDS - begin
            edges[here + 1] += 1
            edges[there] -= 1
            parts[there] += end - there * SECONDS
    seconds = [part + filled * SECONDS for part, filled in zip(parts, accumulate(edges), strict=True)]
    return _Course(seconds[:count], starts)


def _busiest(course: _Course) -> Load:
    return Load(
        seconds=tuple(max(course.seconds[cell::CELLS]) for cell in range(CELLS)),
        starts=tuple(max(course.starts[cell::CELLS]) for cell in range(CELLS)),
    )


def _peak(lines: Sequence[Line], courses: Sequence[_Course | None], total: _Course, first: int) -> Peak | None:
    place = max(range(len(total.seconds)), key=lambda cell: (total.seconds[cell], total.starts[cell]))
    if not total.starts[place] and not total.seconds[place]:
        return None
    there = [
        (each.seconds[place], line.name)
        for line, each in zip(lines, courses, strict=True)
        if each and (each.seconds[place] or each.starts[place])
    ]
    return Peak(
        at=EPOCH + (first + place * QUARTER) * MINUTE,
        seconds=total.seconds[place],
        starts=total.starts[place],
        names=tuple(name for _, name in sorted(there, key=lambda one: -one[0])),
    )
