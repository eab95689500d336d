"""Where the entries of a timetable would stand best, as its solver finds."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from ..exceptions import DeclarationError
from ..schedules.candidates import moved
from ..schedules.entry import understood
from ..schedules.every import Every
from ..schedules.findings import Finding
from ..schedules.firings import Schedule
from ..schedules.pattern_of import pattern_of
from ..schedules.patterns import Interval, Pattern, is_never
from ..schedules.slots import Slot
from ..schedules.solver import Standing, judge, solve
from ..schedules.timetable import Line, Timetable

CURED_BY_MOVING: Final = ("SCH101", "SCH102", "SCH105")
Place = tuple[str | Every, Pattern]  # where an entry may stand: as it is written, and as a pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    entry: str
    before: str  # its schedule as it was written
    after: str | Every  # cron text, or an interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    moves: tuple[Move, ...]  # none: it stands as well as can be, if that is proved
    before: Standing
    after: Standing
    proved: bool  # False: the search was cut short, there may be better places


def suggest(timetable: Timetable, findings: Iterable[Finding]) -> Suggestion:
    """Entries with candidates are free. So are those that say none, where they share a minute or break a spacing."""
    lines = _comparable(timetable.lines)
    in_trouble = {entry for finding in findings if finding.code in CURED_BY_MOVING for entry in finding.entries}
    places = [_places(line, free=line.name in in_trouble) for line in lines]
    slots = [
        Slot(
            name=line.name,
            candidates=tuple(pattern for _, pattern in where),
            queue=line.destination or "",
            spacing=line.spacing,
            busy=ceil((line.run_seconds or 0) / 60),
        )
        for line, where in zip(lines, places, strict=True)
    ]
    now = [
        next(place for place, (_, pattern) in enumerate(where) if pattern == line.pattern)
        for line, where in zip(lines, places, strict=True)
    ]
    before, solution = judge(slots, now), solve(slots)
    after: Standing = solution if _worth(solution) > _worth(before) or solution.proved else before
    moves = [
        Move(entry=line.name, before=line.words, after=where[new][0])
        for line, where, old, new in zip(lines, places, now, after.choice, strict=True)
        if old != new
    ]
    return Suggestion(moves=tuple(moves), before=before, after=after, proved=solution.proved)


def _comparable(lines: Sequence[Line]) -> list[Line]:
    """The entries whose minutes are known, in the zone that most are in."""
    known = [line for line in lines if line.pattern is not None and not is_never(line.pattern)]
    zones = Counter(line.zone for line in known)
    return [line for line in known if line.zone == max(zones, key=zones.__getitem__)]


def _places(line: Line, *, free: bool) -> list[Place]:
    assert line.pattern is not None  # noqa: S101 - only such are compared
    if line.candidates:
        return list(line.candidates)
    here: Place = (line.words, line.pattern)
    if not free:
        return [here]
    schedule: Schedule | None = line.cron
    if isinstance(line.pattern, Interval) and schedule is None:
        schedule = Every(minutes=line.pattern.period, offset=line.pattern.offset)
    try:
        others = moved(schedule) if schedule else ()
    except DeclarationError:  # too long an interval, say
        others = ()
    found = [(when, pattern_of(understood(when))) for when in others]
    return [here, *(place for place in found if place[1] != line.pattern)]  # it stays if no other place is better


def _worth(standing: Standing) -> tuple[int, int, tuple[int, ...]]:
    return -standing.broken, -standing.shared, standing.gaps
