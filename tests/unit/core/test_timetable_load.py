"""The expected load, against a simulation by the second."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.schedules import every
from apps.core.schedules.firings import EPOCH, Schedule, firings_between
from apps.core.schedules.pattern_of import pattern_of
from apps.core.schedules.patterns import Interval
from apps.core.schedules.timetable import Line, Timetable
from apps.core.timetable.due import due_minutes, next_firing
from apps.core.timetable.load import ASSUMED, CELLS, SECONDS, Load, expected

AT = datetime(2026, 11, 23, 12, 30, 20, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

crons = st.builds(
    lambda minute, hours, days: crontab(minute=minute, hour=hours, day_of_week=days),
    st.integers(0, 59),
    st.sets(st.integers(0, 23), min_size=1, max_size=6),
    st.sets(st.integers(0, 6), min_size=1),
)
intervals = st.integers(15, 3000).flatmap(
    lambda period: st.builds(every, minutes=st.just(period), offset=st.integers(0, period - 1))
)
entries = st.tuples(crons | intervals, st.none() | st.integers(0, 7200))


def line_of(name: str, schedule: Schedule, run: float | None = None, zone: str = "UTC") -> Line:
    return Line(name=name, task=name, words="", pattern=pattern_of(schedule), run_seconds=run, zone=zone)


def cells(load: Load | None) -> dict[int, tuple[float, int]]:
    """Those that are not empty."""
    assert load is not None
    both = zip(load.seconds, load.starts, strict=True)
    return {cell: value for cell, value in enumerate(both) if value != (0, 0)}


def simulated(schedule: Schedule, run: int, days: int) -> tuple[list[int], list[int]]:
    """The seconds of work and the starts in each quarter of an hour of the days, second by second."""
    work, starts = [0] * days * CELLS, [0] * days * CELLS
    for due in firings_between(schedule, MIDNIGHT - timedelta(days=1), MIDNIGHT + timedelta(days=days) - MINUTE):
        first = int((due - MIDNIGHT).total_seconds())
        if first >= 0:
            starts[first // SECONDS] += 1
        for second in range(first, first + run):
            if 0 <= second < days * 86_400:
                work[second // SECONDS] += 1
    return work, starts


@settings(max_examples=25, deadline=None)
@given(st.lists(entries, min_size=1, max_size=3), st.integers(1, 3))
def test_the_load_is_that_of_a_simulation(chosen: list[tuple[Schedule, int | None]], days: int) -> None:
    lines = tuple(line_of(str(place), schedule, run) for place, (schedule, run) in enumerate(chosen))
    found = expected(Timetable(lines=lines, at=AT), days=days)
    courses = [simulated(schedule, int(ASSUMED) if run is None else run, days) for schedule, run in chosen]
    everything = tuple([sum(cell) for cell in zip(*parts, strict=True)] for parts in zip(*courses, strict=True))
    for load, (work, starts) in zip((*found.loads, found.total), (*courses, everything), strict=True):
        assert load is not None
        assert load.seconds == tuple(max(work[cell::CELLS]) for cell in range(CELLS))
        assert load.starts == tuple(max(starts[cell::CELLS]) for cell in range(CELLS))
    if found.peak is None:
        assert not any(everything[1])
        assert not any(everything[0])
        return
    place = (found.peak.at - MIDNIGHT) // timedelta(seconds=SECONDS)
    assert (found.peak.seconds, found.peak.starts) == (everything[0][place], everything[1][place])
    assert found.peak.seconds == max(everything[0])
    assert set(found.peak.names) == {
        line.name for line, (work, starts) in zip(lines, courses, strict=True) if work[place] or starts[place]
    }


def test_a_run_spills_over_midnight_and_into_the_first_day() -> None:
    found = expected(Timetable(lines=(line_of("late", crontab(minute="55", hour="23"), run=1200),), at=AT), days=1)
    assert cells(found.loads[0]) == {0: (900.0, 0), 95: (300.0, 1)}
    found = expected(Timetable(lines=(line_of("late", crontab(minute="55", hour="23"), run=1290.5),), at=AT), days=1)
    assert cells(found.loads[0]) == {0: (900.0, 0), 1: (90.5, 0), 95: (300.0, 1)}


def test_a_run_that_has_not_been_measured_counts_as_a_minute() -> None:
    found = expected(Timetable(lines=(line_of("one", crontab(minute="30", hour="2")),), at=AT), days=1)
    assert cells(found.loads[0]) == {10: (60.0, 1)}


def test_the_busiest_day_counts() -> None:
    mondays = line_of("mondays", crontab(minute="0", hour="4", day_of_week="1"), run=100)
    tuesdays = line_of("tuesdays", crontab(minute="0", hour="4", day_of_week="2"), run=200)
    found = expected(Timetable(lines=(mondays, tuesdays), at=AT), days=7)
    assert cells(found.total) == {16: (200.0, 1)}
    assert found.peak is not None
    assert (found.peak.at, found.peak.names) == (datetime(2026, 11, 24, 4, 0, tzinfo=UTC), ("tuesdays",))


def test_what_floats_has_no_place_in_the_day() -> None:
    floating = Line(name="one", task="one", words="", pattern=Interval(10, 0), floating=True)
    unclear = Line(name="two", task="two", words="", pattern=None)
    found = expected(Timetable(lines=(floating, unclear), at=AT), days=7)
    assert found.loads == (None, None)
    assert cells(found.total) == {}
    assert found.peak is None


def test_a_day_of_another_zone_follows_its_clocks() -> None:
    noon = line_of("noon", crontab(minute="0", hour="12"), zone="Europe/Berlin")
    found = expected(Timetable(lines=(noon,), at=datetime(2026, 10, 24, 9, 0, tzinfo=UTC)), days=3)
    assert cells(found.loads[0]) == {40: (60.0, 1), 44: (60.0, 1)}  # the clocks go back on the 25th
    early = line_of("early", crontab(minute="3", hour="2"), zone="Asia/Kolkata")
    found = expected(Timetable(lines=(early,), at=AT), days=1)
    assert cells(found.loads[0]) == {82: (60.0, 1)}


@settings(max_examples=25, deadline=None)
@given(crons, st.sampled_from(["Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati"]))
def test_local_minutes_are_those_that_the_zone_shows(cron: crontab, zone: str) -> None:
    first = (MIDNIGHT - EPOCH) // MINUTE
    found = list(due_minutes(pattern_of(cron), zone, first, first + 2880))
    shown = defaultdict(list)
    for minute in range(first, first + 2880):
        local = (EPOCH + minute * MINUTE).astimezone(ZoneInfo(zone))
        due = local.minute in cron.minute and local.hour in cron.hour  # type: ignore[attr-defined] # Celery's stubs lack them
        shown[due and local.isoweekday() % 7 in cron.day_of_week].append(minute)  # type: ignore[attr-defined]
    assert found == shown[True]


@pytest.mark.parametrize(
    ("at", "zone", "following"),
    [
        ("2026-11-23T02:30:00", "UTC", "2026-11-23T02:30"),
        ("2026-11-23T02:30:01", "UTC", "2026-11-24T02:30"),
        ("2026-11-23T02:30:01", "Asia/Kolkata", "2026-11-23T21:00"),
        ("2026-03-29T01:10:00", "Europe/Berlin", "2026-03-29T01:30"),  # 02:30 is skipped: due at 03:30
        ("2026-10-25T00:30:00", "Europe/Berlin", "2026-10-25T00:30"),  # 02:30 comes twice: due the first time
        ("2026-10-25T00:31:00", "Europe/Berlin", "2026-10-26T01:30"),
    ],
)
def test_the_next_firing_is_the_moment_itself_or_later(at: str, zone: str, following: str) -> None:
    pattern = pattern_of(crontab(minute="30", hour="2"))
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert next_firing(pattern, zone, moment) == datetime.fromisoformat(following).replace(tzinfo=UTC)


def test_a_firing_beyond_the_calendar_is_none() -> None:
    assert next_firing(Interval(10**10, 10**10 - 1), "UTC", AT) is None


def test_a_thousand_entries_are_quick() -> None:
    lines = tuple(line_of(str(place), every(minutes=27, offset=place % 27), run=place) for place in range(1000))
    started = process_time()
    expected(Timetable(lines=lines, at=AT), days=7)
    assert process_time() - started < 2  # seconds; it is 0.3 on an idle machine
