"""The minutes at which a schedule is due, for ever, as plain arithmetic; and what two of them have to do with each
other.

Minutes are counted from 1970-01-01T00:00Z. A pattern is either an interval, the minutes that are `offset` modulo
`period`, or a calendar, some minutes of some days of the 400-year cycle. Two intervals meet if and only if their
offsets are equal modulo the greatest common divisor g of their periods. So does an interval meet a calendar if and
only if one of the calendar's minutes is `offset` modulo the g of the interval's period and of the cycle. Nothing is
ever walked, so an answer holds for all time.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import gcd, lcm
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


def per_year(pattern: Pattern) -> Fraction:
    """How often it is due in a year, on average."""
    if isinstance(pattern, Interval):
        return Fraction(ROUND, YEARS * pattern.period)
    return Fraction(pattern.minutes.bit_count() * len(pattern.days), YEARS)


def meet(one: Pattern, other: Pattern) -> bool:
    """Whether there is ever a minute at which both are due."""
    if isinstance(one, Interval):
        if isinstance(other, Interval):
            return not (one.offset - other.offset) % gcd(one.period, other.period)
        divisor = gcd(one.period, ROUND)
        return bool(minutes_modulo(other, divisor) >> one.offset % divisor & 1)
    if isinstance(other, Interval):
        return meet(other, one)
    return bool(one.minutes & other.minutes) and bool(common(one.days, other.days).mask)


def meetings_per_year(one: Pattern, other: Pattern) -> Fraction:
    """How many minutes they share in a year, on average for ever; 0 if they never meet."""
    match one, other:
        case Interval(), Interval():
            return Fraction(meet(one, other) * ROUND, YEARS * lcm(one.period, other.period))
        case Calendar(), Calendar():
            both = (one.minutes & other.minutes).bit_count()
            return Fraction(both * len(common(one.days, other.days)), YEARS)
        case Interval(), Calendar():
            divisor = gcd(one.period, ROUND)
            hits = sum(_days_that_match(other.days, one.offset - minute, divisor) for minute in _bits(other.minutes))
            return Fraction(hits * divisor, YEARS * one.period)
        case _:
            return meetings_per_year(other, one)


def first_meeting(one: Pattern, other: Pattern, since: int) -> int | None:
    """The first minute that they share, `since` or later; None if they never meet."""
    if not meet(one, other):
        return None
    match one, other:
        case Interval(), Interval():
            return _next_common(one, other, since)
        case Calendar(), Calendar():
            return _next_due(common(one.days, other.days), one.minutes & other.minutes, since)
        case Interval(), Calendar():
            return _next_of_both(one, other, since)
        case _:
            return first_meeting(other, one, since)


def next_due(pattern: Pattern, since: int) -> int | None:
    """The first minute at which it is due, `since` or later; None if it never is."""
    if isinstance(pattern, Interval):
        return since + (pattern.offset - since) % pattern.period
    return None if is_never(pattern) else _next_due(pattern.days, pattern.minutes, since)


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
    minutes = _bits(pattern.minutes)
    days = days_until(pattern.days, pattern.days)
    assert days is not None  # noqa: S101 - it is due on some day
    overnight = days * DAY + minutes[0] - minutes[-1]
    return min([later - earlier for earlier, later in pairwise(minutes)] + [overnight])


def must_meet(one: Pattern, other: Pattern) -> bool:
    """Whether they meet whatever the offset of one that is an interval: only another period could part them."""
    match one, other:
        case Interval(), Interval():
            return gcd(one.period, other.period) == 1
        case Interval(), Calendar():
            divisor = gcd(one.period, ROUND)
            return minutes_modulo(other, divisor) == (1 << divisor) - 1
        case Calendar(), Interval():
            return must_meet(other, one)
        case _:
            return False


@lru_cache(maxsize=65_536)
def minutes_modulo(of: Calendar, divisor: int) -> int:
    """Which residues modulo a divisor of ROUND have due minutes, as bits."""
    minutes = folded(of.minutes, DAY, divisor)
    days = residues(of.days, divisor // gcd(DAY, divisor))  # a day's number decides by this residue of it
    found = 0
    for day in _bits(days):
        found |= turned(minutes, DAY * day % divisor, divisor)
    return found


@lru_cache(maxsize=65_536)
def _calendar(days: DaySet, minutes: int) -> Calendar:
    return Calendar(days, minutes)


def _as_interval(days: DaySet, minutes: int) -> Interval | None:
    if days.is_every_day():
        places = _bits(minutes)
        if places and not DAY % len(places):
            period = DAY // len(places)
            if places == list(range(places[0], DAY, period)):
                return Interval(period, places[0])
    if minutes.bit_count() == 1 and len(days) == CYCLE // 7:
        first = lowest(days.mask)
        if count(days, 7, first % 7) == len(days):
            return Interval(7 * DAY, first * DAY + lowest(minutes))
    return None


def _days_that_match(days: DaySet, rest: int, divisor: int) -> int:
    """How many days of the cycle begin, in minutes, with `rest` modulo `divisor`."""
    shared = gcd(DAY, divisor)
    if rest % shared:
        return 0
    modulus = divisor // shared
    return count(days, modulus, rest // shared * pow(DAY // shared, -1, modulus) % modulus)


def _next_common(one: Interval, other: Interval, since: int) -> int:
    """Of two that meet. The Chinese remainder theorem."""
    shared = gcd(one.period, other.period)
    inverse = pow(one.period // shared, -1, other.period // shared)
    steps = (other.offset - one.offset) // shared * inverse % (other.period // shared)
    instant = one.offset + one.period * steps
    return since + (instant - since) % lcm(one.period, other.period)


def _next_due(days: DaySet, minutes: int, since: int) -> int:
    today, now = divmod(since, DAY)
    if today in days and minutes >> now:
        return since + lowest(minutes >> now)
    return days.next_from(today + 1) * DAY + lowest(minutes)


def _next_of_both(interval: Interval, of: Calendar, since: int) -> int | None:
    """Of two that meet. Each minute of the day is due in steps of whole days: those are tried on the days."""
    step = lcm(interval.period, DAY)
    best: int | None = None
    for minute in _bits(of.minutes):
        if (minute - interval.offset) % gcd(interval.period, DAY):
            continue
        instant = _next_common(interval, Interval(DAY, minute), since)
        for _ in range(CYCLE // gcd(step // DAY, CYCLE)):  # then the same days come again
            if best is not None and instant >= best:
                break
            if instant // DAY in of.days:
                best = instant
                break
            instant += step
    return best


@lru_cache(maxsize=65_536)
def _least_wait_of_calendars(one: Calendar, other: Calendar) -> int:
    days = days_until(one.days, other.days)
    assert days is not None  # noqa: S101 - both are due on some day
    waits = [days * DAY + lowest(other.minutes) - one.minutes.bit_length() + 1]
    if common(one.days, other.days).mask:
        waits += [lowest(other.minutes >> minute) for minute in _bits(one.minutes) if other.minutes >> minute]
    return min(waits)


def _bits(mask: int) -> list[int]:
    """The places of the bits of a number, ascending."""
    digits = f"{mask:b}"[::-1]
    return [place for place, digit in enumerate(digits) if digit == "1"]
