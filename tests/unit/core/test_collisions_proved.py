"""The proof of collisions against enumeration, which shares no code with it: no gcd, no bits, but real dates."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise
from math import lcm

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.schedules import every
from apps.core.schedules.entry import understood
from apps.core.schedules.meetings import first_meeting, meetings_per_year
from apps.core.schedules.pattern_of import pattern_of
from apps.core.schedules.patterns import least_gap, least_wait, shortest_period
from apps.core.schedules.rules.collisions import collisions
from apps.core.schedules.timetable import Line, Timetable

EPOCH = date(1970, 1, 1)
AT = datetime(2026, 11, 25, 12, 7, tzinfo=UTC)
NOW = (AT.date() - EPOCH).days * 1440 + AT.hour * 60 + AT.minute
CYCLE = (date(2370, 1, 1) - EPOCH).days
EXAMPLES = 1000
WALKED = 400  # days from AT on in which first meetings are looked for one by one

# month, day of month, day of week (Sunday is 0), as cron has them; * is everything.
DAYS = (
    *(("*", "*", "*"),) * 4,
    ("*", "*", "1"),
    ("*", "*", "1,2,3,4,5"),
    ("*", "*", "0,6"),
    ("*", "1", "*"),
    ("*", "1,15", "*"),
    ("*", "31", "*"),
    ("2", "29", "*"),
    ("2", "29", "1"),
    ("1,7", "*", "*"),
    ("*", "13", "5"),
    ("12", "25,26", "*"),
)
PERIODS = (2, 7, 10, 15, 15, 20, 27, 27, 30, 30, 45, 60, 77, 480, 1440, 10080)


@dataclass(frozen=True)
class Cron:
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[str, str, str]

    @property
    def text(self) -> str:
        month, day, weekday = self.days
        return f"{','.join(map(str, self.minutes))} {','.join(map(str, self.hours))} {day} {month} {weekday}"

    @property
    def of_day(self) -> frozenset[int]:
        return frozenset(60 * hour + minute for hour in self.hours for minute in self.minutes)


@dataclass(frozen=True)
class Each:
    minutes: int
    offset: int


Schedule = Cron | Each


@cache
def days_of(spec: tuple[str, str, str]) -> frozenset[int]:
    """The days of 400 years from 1970 on, looked at one by one."""
    month, day, weekday = (None if text == "*" else {int(part) for part in text.split(",")} for text in spec)
    found = set()
    for number in range(CYCLE):
        here = EPOCH + timedelta(days=number)
        if (
            (month is None or here.month in month)
            and (day is None or here.day in day)
            and (weekday is None or here.isoweekday() % 7 in weekday)
        ):
            found.add(number)
    return frozenset(found)


@cache
def common_days(one: tuple[str, str, str], other: tuple[str, str, str]) -> int:
    return len(days_of(one) & days_of(other))


@cache
def remainders(spec: tuple[str, str, str], period: int) -> tuple[Counter[int], int]:
    """How often a day of the spec begins so many minutes after a multiple of the period; and in how many cycles."""
    cycles = lcm(CYCLE * 1440, period) // (CYCLE * 1440)
    found: Counter[int] = Counter()
    for cycle in range(cycles):
        found.update((day + cycle * CYCLE) * 1440 % period for day in days_of(spec))
    return found, cycles


def shared_in_400_years(one: Schedule, other: Schedule) -> Fraction:
    """How many minutes two schedules share, counted over their joint cycle."""
    if isinstance(one, Each) and isinstance(other, Each):
        walk = range(one.offset, one.offset + lcm(one.minutes, other.minutes), one.minutes)
        hits = sum(minute % other.minutes == other.offset for minute in walk)
        return Fraction(hits * CYCLE * 1440, lcm(one.minutes, other.minutes))
    if isinstance(one, Cron) and isinstance(other, Cron):
        return Fraction(len(one.of_day & other.of_day) * common_days(one.days, other.days))
    each, cron = (one, other) if isinstance(one, Each) else (other, one)
    assert isinstance(each, Each)
    assert isinstance(cron, Cron)
    begins, cycles = remainders(cron.days, each.minutes)
    hits = sum(
        begins[(each.offset - minute) % each.minutes] for minute in cron.of_day
    )  # each day that begins so that this minute of it is due
    return Fraction(hits, cycles)


def is_due(schedule: Schedule, minute: int) -> bool:
    if isinstance(schedule, Each):
        return minute % schedule.minutes == schedule.offset
    return minute % 1440 in schedule.of_day and minute // 1440 % CYCLE in days_of(schedule.days)


def first_shared(one: Schedule, other: Schedule) -> int | None:
    """The first minute from now on that they share, within some years."""
    sparse = one if isinstance(one, Cron) else other
    for minute in range(NOW, NOW + WALKED * 1440) if isinstance(sparse, Each) else _minutes_of(sparse):
        if minute >= NOW and is_due(one, minute) and is_due(other, minute):
            return minute
    return None


def _minutes_of(cron: Cron) -> Sequence[int]:
    today = NOW // 1440
    days = [day for day in range(today, today + WALKED) if day % CYCLE in days_of(cron.days)]
    return [day * 1440 + minute for day in days for minute in sorted(cron.of_day)]


crons = st.builds(
    Cron,
    minutes=st.lists(st.integers(0, 59), min_size=1, max_size=3, unique=True).map(lambda found: tuple(sorted(found))),
    hours=st.one_of(
        st.lists(st.integers(0, 23), min_size=1, max_size=2, unique=True).map(lambda found: tuple(sorted(found))),
        st.sampled_from([tuple(range(24)), tuple(range(8, 18))]),
    ),
    days=st.sampled_from(DAYS),
)
intervals = st.sampled_from(PERIODS).flatmap(
    lambda period: st.builds(Each, minutes=st.just(period), offset=st.integers(0, period - 1))
)
schedules = st.one_of(crons, crons, intervals)
timetables = st.lists(schedules, min_size=2, max_size=3)


def line(name: str, schedule: Schedule) -> Line:
    when = schedule.text if isinstance(schedule, Cron) else every(minutes=schedule.minutes, offset=schedule.offset)
    return Line(name=name, task="t", words=str(when), pattern=pattern_of(understood(when)))


def test_the_proof_agrees_with_enumeration_on_a_thousand_timetables() -> None:
    seen: Counter[bool] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, database=None)
    @given(timetables)
    def agrees(table: list[Schedule]) -> None:
        lines = tuple(line(str(place), schedule) for place, schedule in enumerate(table))
        shared = {
            (str(here), str(there)): count
            for (here, one), (there, other) in combinations(enumerate(table), 2)
            if (count := shared_in_400_years(one, other))
        }
        found = [finding for finding in collisions(Timetable(lines=lines, at=AT)) if finding.code == "SCH101"]
        assert {finding.entries for finding in found} == shared.keys()
        for (here, there), count in shared.items():
            patterns = lines[int(here)].pattern, lines[int(there)].pattern
            assert meetings_per_year(*patterns) * 400 == count
        seen[bool(shared)] += 1

    agrees()
    assert seen.total() >= EXAMPLES
    assert min(seen[True], seen[False]) >= 0.3 * seen.total(), seen


@settings(max_examples=100, deadline=None)
@given(schedules, schedules)
def test_the_first_meeting_is_the_first_that_comes(one: Schedule, other: Schedule) -> None:
    first = first_meeting(*(_pattern(each) for each in (one, other)), since=NOW)
    walked = first_shared(one, other)
    if walked is None:
        assert first is None or first >= NOW + (WALKED - 1) * 1440 - NOW % 1440
    else:
        assert first == walked


def _pattern(schedule: Schedule):  # type: ignore[no-untyped-def]
    return line("", schedule).pattern


repeating = st.one_of(intervals, crons.map(lambda cron: replace(cron, days=("*", "*", "*"))))


@settings(max_examples=80, deadline=None)
@given(repeating, repeating)
def test_the_least_wait_and_gap_are_those_of_a_walk(one: Schedule, other: Schedule) -> None:
    """Over the joint cycle, which is some weeks where all days are alike."""
    cycle = lcm(*(each.minutes if isinstance(each, Each) else 1440 for each in (one, other)))
    here, there = ([minute for minute in range(2 * cycle) if is_due(each, minute)] for each in (one, other))
    waits = [there[bisect_left(there, minute)] - minute for minute in here if minute < cycle]
    backs = [here[bisect_left(here, minute)] - minute for minute in there if minute < cycle]
    patterns = _pattern(one), _pattern(other)
    assert least_wait(*patterns) == min(waits)
    assert least_gap(*patterns) == min(waits + backs)
    assert shortest_period(patterns[0]) == min(later - earlier for earlier, later in pairwise(here))
