"""Sets of days that repeat for ever: the Gregorian calendar comes again, weekdays included, after 400 years.

A day is counted from 1970-01-01, modulo the 146,097 days of the cycle. A set is one number of as many bits, so that
what two calendars have in common is one `&`.
"""

from calendar import isleap, monthrange
from collections.abc import Collection
from functools import cache, cached_property, lru_cache
from typing import Final

CYCLE: Final = 146_097  # days in 400 years: 20,871 weeks
FIRST_YEAR: Final = 1970
FIRST_WEEKDAY: Final = 4  # 1970-01-01 was a Thursday; Sunday is 0
ALL: Final = (1 << CYCLE) - 1


class DaySet:
    """Some days of the cycle. Equal sets from `day_set` are one object, so that what is computed of them is kept."""

    def __init__(self, mask: int) -> None:
        self.mask = mask

    def __len__(self) -> int:
        return self.mask.bit_count()

    def __contains__(self, day: int) -> bool:
        day %= CYCLE
        return bool(self._bytes[day >> 3] >> (day & 7) & 1)

    @cached_property
    def _bytes(self) -> bytes:
        return self.mask.to_bytes(CYCLE // 8 + 1, "little")

    def is_every_day(self) -> bool:
        return self.mask == ALL

    def next_from(self, day: int) -> int:
        """The first day of the set that is not before `day`, which may lie in any cycle. The set is not empty."""
        rest = turned(self.mask, -day % CYCLE, CYCLE)
        return day + lowest(rest)


@lru_cache(maxsize=4096)
def day_set(months: frozenset[int], days_of_month: frozenset[int], weekdays: frozenset[int]) -> DaySet:
    """The days that a crontab's three fields leave; all three must match, as Celery has it. Sunday is 0."""
    mask = ALL
    if not (months >= set(range(1, 13)) and days_of_month >= set(range(1, 32))):
        mask = _dates(months, days_of_month)
    if not weekdays >= set(range(7)):
        week = sum(1 << (weekday - FIRST_WEEKDAY) % 7 for weekday in weekdays)
        mask &= _comb(7) * week
    return _same(mask)


@lru_cache(maxsize=65_536)
def common(one: DaySet, other: DaySet) -> DaySet:
    return _same(one.mask & other.mask)


@lru_cache(maxsize=65_536)
def days_until(one: DaySet, other: DaySet) -> int | None:
    """The least number of days, one at least, from a day of one set to the next one of another; None: no such day."""
    if not (one.mask and other.mask):
        return None
    moved, steps = turned(one.mask, 1, CYCLE), 1
    while not moved & other.mask:
        moved, steps = turned(moved, 1, CYCLE), steps + 1
    return steps


@lru_cache(maxsize=65_536)
def count(days: DaySet, modulus: int, residue: int) -> int:
    """How many days of the set are `residue` modulo a divisor of the cycle."""
    if days.is_every_day():
        return CYCLE // modulus
    return (days.mask & _comb(modulus) << residue).bit_count()


@lru_cache(maxsize=65_536)
def residues(days: DaySet, modulus: int) -> int:
    """Which residues modulo a divisor of the cycle have days in the set, as bits."""
    return folded(days.mask, CYCLE, modulus)


def folded(mask: int, width: int, modulus: int) -> int:
    """The bits of a mask, each at its place modulo `modulus`."""
    while width > modulus:
        half = -(-width // modulus // 2) * modulus if width > 2 * modulus else modulus
        mask = mask >> half | mask & (1 << half) - 1
        width = max(half, width - half)
    return mask


def turned(mask: int, steps: int, width: int) -> int:
    """A ring of `width` bits, turned so that bit 0 comes to `steps`."""
    return (mask << steps | mask >> width - steps) & (1 << width) - 1 if steps else mask


def lowest(mask: int) -> int:
    """The place of the lowest bit of a number above 0."""
    return (mask & -mask).bit_length() - 1


@cache
def _comb(modulus: int) -> int:
    """A bit at every multiple of a divisor of the cycle."""
    return ALL // ((1 << modulus) - 1)


@lru_cache(maxsize=65_536)
def _same(mask: int) -> DaySet:
    return DaySet(mask)


def _dates(months: Collection[int], days_of_month: Collection[int]) -> int:
    years = {leap: _year(2000 if leap else 2001, months, days_of_month) for leap in (False, True)}
    # Text, the latest year first, since int() reads it in one go.
    return int("".join(years[isleap(year)] for year in range(FIRST_YEAR + 399, FIRST_YEAR - 1, -1)), 2)


def _year(year: int, months: Collection[int], days_of_month: Collection[int]) -> str:
    """The days of a year as binary digits, the last day first."""
    bits = [
        "1" if month in months and day in days_of_month else "0"
        for month in range(1, 13)
        for day in range(1, monthrange(year, month)[1] + 1)
    ]
    return "".join(reversed(bits))
