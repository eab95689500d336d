"""Entries that share a minute, or stand too near to each other. Proved, since patterns hold for all time.

Entries are compared in the zone that they are read in. Where a crontab in local time meets one in UTC changes with
the clocks, and is the business of the rule about those.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from fractions import Fraction
from itertools import combinations
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from ..findings import Finding, finding
from ..firings import EPOCH
from ..meetings import first_meeting, meet, meetings_per_year, must_meet
from ..patterns import Pattern, least_gap
from ..timetable import Line, Timetable

MOST_PAIRS: Final = 1000  # with a finding each; where there are more, each entry has one, or nobody would read them
LATEST: Final = timedelta(days=365 * 8000) // timedelta(minutes=1)  # minutes after 1970, before the year 9999 ends
FIXES: Final = {
    "SCH101": "Move one of them; --suggest says where to.",
    "SCH102": "Move one of them so far away; --suggest says where to.",
    "SCH113": "Give one of them another period, with a factor of the other's, such as 30 instead of 27 minutes.",
}


class Pair(NamedTuple):
    one: Line
    other: Line
    patterns: tuple[Pattern, Pattern]


def collisions(timetable: Timetable) -> Iterator[Finding]:
    """SCH101 for each pair that shares a minute, and SCH113 where no offset could part them."""
    pairs = [pair for pair in _pairs(timetable.lines) if meet(*pair.patterns)]
    yield from _findings("SCH101", pairs, lambda pair: _shared_minute(pair, timetable))
    no_way_out = [pair for pair in pairs if must_meet(*pair.patterns)]
    yield from _findings("SCH113", no_way_out, _no_way_out)


def spacings(timetable: Timetable) -> Iterator[Finding]:
    """SCH102 for each pair of one queue that is closer than its spacing."""
    spaced = {line.destination for line in timetable.lines if line.spacing}
    pairs = _pairs(line for line in timetable.lines if line.destination in spaced)
    yield from _findings("SCH102", [pair for pair in pairs if _is_too_close(pair)], _too_close)


def _findings(code: str, pairs: list[Pair], told: Callable[[Pair], str]) -> Iterator[Finding]:
    """One for each pair; where there are too many, one for each entry about all the later ones."""
    if len(pairs) <= MOST_PAIRS:
        yield from (_finding(code, [pair], told) for pair in pairs)
        return
    by_entry = defaultdict(list)
    for pair in pairs:
        by_entry[pair.one.name].append(pair)
    yield from (_finding(code, of_entry, told) for of_entry in by_entry.values())


def _finding(code: str, pairs: list[Pair], told: Callable[[Pair], str]) -> Finding:
    message = told(pairs[0])
    if others := pairs[1:]:
        message += f" So it is with {len(others)} more."
    return finding(code, pairs[0].one, *(pair.other for pair in pairs), message=message, fix=FIXES[code])


def _pairs(lines: Iterable[Line]) -> Iterator[Pair]:
    """Of entries whose minutes are known, in the same zone."""
    by_zone: dict[str, list[tuple[Line, Pattern]]] = defaultdict(list)
    for line in lines:
        if line.pattern is not None and not line.floating:
            by_zone[line.zone].append((line, line.pattern))
    for known in by_zone.values():
        for (one, its), (other, others) in combinations(known, 2):
            yield Pair(one, other, (its, others))


def _shared_minute(pair: Pair, timetable: Timetable) -> str:
    return f"{_both(pair)} share a minute: {_when(pair, timetable)}."


def _no_way_out(pair: Pair) -> str:
    return f"{_both(pair)} meet whatever their offsets: no factor of their periods could keep them apart."


def _is_too_close(pair: Pair) -> bool:
    if pair.one.destination != pair.other.destination:
        return False
    gap = least_gap(*pair.patterns)
    return gap is not None and gap < max(pair.one.spacing, pair.other.spacing)


def _too_close(pair: Pair) -> str:
    spacing, gap = max(pair.one.spacing, pair.other.spacing), least_gap(*pair.patterns)
    return (
        f"{_both(pair)} come within {gap} min of each other on the queue {pair.one.destination}, where "
        f"{spacing} min are kept."
    )


def _both(pair: Pair) -> str:
    return f"{pair.one.name} ({pair.one.words}) and {pair.other.name} ({pair.other.words})"


def _when(pair: Pair, timetable: Timetable) -> str:
    """The first meeting, and how many there are in a year."""
    zone = pair.one.zone
    now = (timetable.at.astimezone(ZoneInfo(zone)).replace(tzinfo=EPOCH.tzinfo) - EPOCH) // timedelta(minutes=1)
    minute = first_meeting(*pair.patterns, since=now)
    assert minute is not None  # noqa: S101 - they meet
    first = f"{EPOCH + timedelta(minutes=minute):%Y-%m-%d %H:%M} {zone}" if minute < LATEST else "after the year 9900"
    return f"first on {first}, {in_a_year(meetings_per_year(*pair.patterns))}"


def in_a_year(rate: Fraction) -> str:
    """`rate`: times in a year, on average for ever."""
    if rate >= 1:
        return f"about {round(rate)} times a year"
    return f"about once in {round(1 / rate)} years"
