"""When the entry of a timetable is due, in UTC. Minutes are counted from 1970-01-01T00:00Z."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ..schedules.firings import EPOCH
from ..schedules.patterns import DAY, Calendar, Interval, Pattern, next_due
from ..schedules.timetable import UTC_ZONE, Line

MINUTE: Final = timedelta(minutes=1)
LARGEST_OFFSET: Final = DAY  # minutes between a zone's clocks and UTC
LARGEST_SHIFT: Final = 180  # minutes by which clocks change


def known_pattern(line: Line) -> Pattern | None:
    """None: nobody can say at which minutes it is due."""
    return None if line.floating else line.pattern


def due_minutes(pattern: Pattern, zone: str, first: int, end: int) -> Iterator[int]:
    """The minutes in [first, end) at which a schedule is due whose pattern is of the zone's local time.

    A local time that clocks skip is due as much later, and one that comes twice is due the first time.
    """
    if zone == UTC_ZONE:
        return _minutes(pattern, first, end)
    info = ZoneInfo(zone)
    local = _minutes(pattern, first - LARGEST_OFFSET, end + LARGEST_OFFSET)
    return (minute for each in local if first <= (minute := _in_utc(each, info)) < end)


def next_firing(pattern: Pattern, zone: str, at: datetime) -> datetime | None:
    """The first due instant, `at` or later; None if there is none before the year 10000."""
    minute = _next_minute(pattern, zone, -((EPOCH - at) // MINUTE))
    try:
        return None if minute is None else EPOCH + minute * MINUTE
    except OverflowError:
        return None


def _next_minute(pattern: Pattern, zone: str, first: int) -> int | None:
    if zone == UTC_ZONE:
        return next_due(pattern, first)
    info = ZoneInfo(zone)
    local = (EPOCH + first * MINUTE).astimezone(info).replace(tzinfo=UTC)
    # From before the latest change of the clocks, since a time that it has skipped may still be to come.
    minute = next_due(pattern, (local - EPOCH) // MINUTE - LARGEST_SHIFT)
    while minute is not None and _in_utc(minute, info) < first:
        minute = next_due(pattern, minute + 1)
    return None if minute is None else _in_utc(minute, info)


def _in_utc(local: int, zone: ZoneInfo) -> int:
    offset = zone.utcoffset((EPOCH + local * MINUTE).replace(tzinfo=zone)) or timedelta()
    return local - offset // MINUTE


def _minutes(pattern: Pattern, first: int, end: int) -> Iterator[int]:
    if isinstance(pattern, Interval):
        return iter(range(first + (pattern.offset - first) % pattern.period, end, pattern.period))
    return (minute for minute in _of_calendar(pattern, first, end) if first <= minute < end)


def _of_calendar(pattern: Calendar, first: int, end: int) -> Iterator[int]:
    """Of the whole days that [first, end) touches."""
    of_day = [place for place, digit in enumerate(reversed(f"{pattern.minutes:b}")) if digit == "1"]
    for day in range(first // DAY, -(-end // DAY)):
        if day in pattern.days:
            yield from (day * DAY + minute for minute in of_day)
