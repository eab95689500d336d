"""The minutes at which a schedule is due, for ever, as plain arithmetic.

Minutes are counted from 1970-01-01T00:00Z. A pattern is either an interval, the minutes that are `offset` modulo
`period`, or a calendar, some minutes of some days of the 400-year cycle. Nothing is ever walked through.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import gcd
from typing import Final

from .days import CYCLE, DaySet, common, count, days_until, folded, lowest, residues, turned

DAY: Final = 1440  # minutes
ROUND: Final = DAY * CYCLE  # minutes after which every calendar comes again
YEARS: Final = 400  # in that time


@dataclass(frozen=True, slots=True)
class Interval:
    """Due at the minutes that are `offset` modulo `period`."""

    period: int  # minutes
    offset: int  # below the period


@dataclass(frozen=True, eq=False)
class Calendar:
    """Due at some minutes of some days. Equal ones from `calendar` are one object."""

    days: DaySet
    minutes: int  # of the day, as bits


Pattern = Interval | Calendar

NEVER: Final = Calendar(DaySet(0), 0)


def calendar(days: DaySet, minutes: int) -> Pattern:
    """The simplest pattern that is due at these minutes of these days: mostly an interval."""
    return _as_interval(days, minutes) or _calendar(days, minutes)


def is_never(pattern: Pattern) -> bool:
    return isinstance(pattern, Calendar) and not (pattern.minutes and pattern.days.mask)


def next_due(pattern: Pattern, since: int) -> int | None:
    """The first minute at which it is due, `since` or later; None if it never is."""
    if isinstance(pattern, Interval):
        return since + (pattern.offset - since) % pattern.period
    return None if is_never(pattern) else next_due_on(pattern.days, pattern.minutes, since)


def least_wait(one: Pattern, other: Pattern) -> int | None:
    """The least number of minutes from a due minute of `one` on to one of `other`; 0 if they meet.

    None if one is never due.
    """
    if is_never(one) or is_never(other):
        return None
    match one, other:
        case Interval(), Interval():
            return (other.offset - one.offset) % gcd(one.period, other.period)
        case Interval(), Calendar():
            divisor = gcd(one.period, ROUND)
            return lowest(turned(minutes_modulo(other, divisor), -one.offset % divisor, divisor))
        case Calendar(), Interval():
            divisor = gcd(other.period, ROUND)
            # From the offset backwards: to the highest of the bits that lie up to it on the ring.
            ring = turned(minutes_modulo(one, divisor), (-other.offset - 1) % divisor, divisor)
            return divisor - ring.bit_length()
        case _:
            return _least_wait_of_calendars(one, other)


def least_gap(one: Pattern, other: Pattern) -> int | None:
    """The least number of minutes between a due minute of one and one of the other; None if one is never due."""
    if isinstance(one, Interval) and isinstance(other, Interval):  # as below, in a third of the time
        ring = gcd(one.period, other.period)
        away = (other.offset - one.offset) % ring
        return min(away, ring - away) if away else 0
    there, back = least_wait(one, other), least_wait(other, one)
    return None if there is None or back is None else min(there, back)


def shortest_period(pattern: Pattern) -> int | None:
    """The least number of minutes between two of its own due minutes; None if it is never due."""
    if isinstance(pattern, Interval):
        return pattern.period
    if is_never(pattern):
        return None
    minutes = bits(pattern.minutes)
    days = days_until(pattern.days, pattern.days)
    assert days is not None  # noqa: S101 - it is due on some day
    overnight = days * DAY + minutes[0] - minutes[-1]
    return min([later - earlier for earlier, later in pairwise(minutes)] + [overnight])


@lru_cache(maxsize=65_536)
def minutes_modulo(of: Calendar, divisor: int) -> int:
    """Which residues modulo a divisor of ROUND have due minutes, as bits."""
    minutes = folded(of.minutes, DAY, divisor)
    days = residues(of.days, divisor // gcd(DAY, divisor))  # a day's number decides by this residue of it
    found = 0
    for day in bits(days):
        found |= turned(minutes, DAY * day % divisor, divisor)
    return found


@lru_cache(maxsize=65_536)
def _calendar(days: DaySet, minutes: int) -> Calendar:
    return Calendar(days, minutes)


def _as_interval(days: DaySet, minutes: int) -> Interval | None:
    if days.is_every_day():
        places = bits(minutes)
        if places and not DAY % len(places):
            period = DAY // len(places)
            if places == tuple(range(places[0], DAY, period)):
                return Interval(period, places[0])
    if minutes.bit_count() == 1 and len(days) == CYCLE // 7:
        first = lowest(days.mask)
        if count(days, 7, first % 7) == len(days):
            return Interval(7 * DAY, first * DAY + lowest(minutes))
    return None


def next_due_on(days: DaySet, minutes: int, since: int) -> int:
    today, now = divmod(since, DAY)
    if today in days and minutes >> now:
        return since + lowest(minutes >> now)
    return days.next_from(today + 1) * DAY + lowest(minutes)


@lru_cache(maxsize=65_536)
def _least_wait_of_calendars(one: Calendar, other: Calendar) -> int:
    days = days_until(one.days, other.days)
    assert days is not None  # noqa: S101 - both are due on some day
    waits = [days * DAY + lowest(other.minutes) - one.minutes.bit_length() + 1]
    if common(one.days, other.days).mask:
        waits += [lowest(other.minutes >> minute) for minute in bits(one.minutes) if other.minutes >> minute]
    return min(waits)


@lru_cache(maxsize=65_536)
def bits(mask: int) -> tuple[int, ...]:
    """The places of the bits of a number, ascending."""
    digits = f"{mask:b}"[::-1]
    return tuple(place for place, digit in enumerate(digits) if digit == "1")
