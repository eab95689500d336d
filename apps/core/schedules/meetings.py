"""Whether two schedules are ever due at the same minute. Proved, not tried: an answer holds for all time.

Two intervals meet if and only if their offsets are equal modulo the greatest common divisor g of their periods. So
does an interval meet a calendar if and only if one of the calendar's minutes is `offset` modulo the g of the
interval's period and of the calendar's cycle. Two calendars meet if and only if they have both minutes and days in
common.
"""

from fractions import Fraction
from math import gcd, lcm

from .days import CYCLE, DaySet, common, count
from .patterns import DAY, ROUND, YEARS, Calendar, Interval, Pattern, bits, minutes_modulo, next_due_on


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
            hits = sum(_days_that_match(other.days, one.offset - minute, divisor) for minute in bits(other.minutes))
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
            return next_due_on(common(one.days, other.days), one.minutes & other.minutes, since)
        case Interval(), Calendar():
            return _next_of_both(one, other, since)
        case _:
            return first_meeting(other, one, since)


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


def _next_of_both(interval: Interval, of: Calendar, since: int) -> int | None:
    """Of two that meet. Each minute of the day is due in steps of whole days: those are tried on the days."""
    step = lcm(interval.period, DAY)
    best: int | None = None
    for minute in bits(of.minutes):
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
