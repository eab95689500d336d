from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from hypothesis import given
from hypothesis import strategies as st

from apps.core.schedules import Every, every
from apps.core.schedules.firings import Schedule, firings_after, firings_between, latest_firing, next_firing

NOW = datetime(2026, 11, 23, 12, 30, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("cron", "latest", "following"),
    [
        ("12,42 * * * *", "2026-11-23T12:12", "2026-11-23T12:42"),
        ("30 * * * *", "2026-11-23T12:30", "2026-11-23T13:30"),
        ("31 * * * *", "2026-11-23T11:31", "2026-11-23T12:31"),
        ("0 0 * * 1", "2026-11-23T00:00", "2026-11-30T00:00"),
        ("0 0 * * 0", "2026-11-22T00:00", "2026-11-29T00:00"),
        ("3 3,16 * * *", "2026-11-23T03:03", "2026-11-23T16:03"),
        ("0 0 29 2 *", "2024-02-29T00:00", "2028-02-29T00:00"),
    ],
)
def test_a_crontab_is_due_at_its_minutes(cron: str, latest: str, following: str) -> None:
    schedule = crontab.from_string(cron)
    assert latest_firing(schedule, NOW) == datetime.fromisoformat(latest).replace(tzinfo=UTC)
    assert next_firing(schedule, NOW) == datetime.fromisoformat(following).replace(tzinfo=UTC)


def test_the_leap_day_is_found_across_a_century_without_one() -> None:
    schedule = crontab.from_string("0 0 29 2 *")
    assert latest_firing(schedule, datetime(2104, 2, 28, tzinfo=UTC)) == datetime(2096, 2, 29, tzinfo=UTC)
    assert next_firing(schedule, datetime(2096, 2, 29, tzinfo=UTC)) == datetime(2104, 2, 29, tzinfo=UTC)


def test_a_leap_day_on_a_given_weekday_is_found_across_forty_years() -> None:
    schedule = crontab.from_string("0 0 29 2 1")
    assert latest_firing(schedule, datetime(2112, 2, 28, tzinfo=UTC)) == datetime(2072, 2, 29, tzinfo=UTC)
    assert next_firing(schedule, datetime(2072, 2, 29, tzinfo=UTC)) == datetime(2112, 2, 29, tzinfo=UTC)


def test_a_schedule_that_never_fires_is_said_to() -> None:
    with pytest.raises(ValueError, match="never fires"):
        next_firing(crontab(day_of_week=set()), NOW)


def test_the_moment_may_be_given_in_any_zone() -> None:
    local = NOW.astimezone(ZoneInfo("Asia/Kolkata"))
    for found, expected in (
        (latest_firing(crontab.from_string("12 * * * *"), local), datetime(2026, 11, 23, 12, 12, tzinfo=UTC)),
        (next_firing(every(minutes=60), local), datetime(2026, 11, 23, 13, 0, tzinfo=UTC)),
    ):
        assert found == expected
        assert found.tzinfo is UTC


def test_an_instant_belongs_to_its_own_past() -> None:
    at = datetime(2026, 11, 23, 12, 12, tzinfo=UTC)
    for schedule in (crontab.from_string("12 * * * *"), every(minutes=1), timedelta(minutes=2)):
        assert latest_firing(schedule, at) == at
        assert next_firing(schedule, at) > at
        assert next_firing(schedule, at - timedelta.resolution) == at
        assert firings_between(schedule, at - timedelta.resolution, at) == [at]
        assert firings_between(schedule, at, at) == []


def test_twenty_seven_minutes_are_twenty_seven_minutes_across_midnights_and_years() -> None:
    found = firings_after(every(minutes=27, offset=4), datetime(2026, 12, 30, tzinfo=UTC))
    instants = [next(found) for _ in range(500)]
    assert {later - earlier for earlier, later in pairwise(instants)} == {timedelta(minutes=27)}
    assert {instant.timestamp() / 60 % 27 for instant in instants} == {4}


def test_an_interval_of_seconds_counts_from_the_epoch() -> None:
    assert next_firing(timedelta(seconds=90), datetime(1970, 1, 1, 0, 2, tzinfo=UTC)).minute == 3


def is_due(schedule: Schedule, minute: datetime) -> bool:
    """Said once more, and otherwise: of a whole minute, by its fields."""
    if isinstance(schedule, Every):
        return int(minute.timestamp()) // 60 % schedule.minutes == schedule.offset
    assert isinstance(schedule, crontab)
    fields = [minute.minute, minute.hour, minute.day, minute.month, int(minute.strftime("%w"))]
    allowed = [schedule.minute, schedule.hour, schedule.day_of_month, schedule.month_of_year, schedule.day_of_week]
    return all(field in values for field, values in zip(fields, allowed, strict=True))


def walked(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    minute = after.replace(second=0, microsecond=0) + MINUTE
    found = []
    while minute <= until:
        if is_due(schedule, minute):
            found.append(minute)
        minute += MINUTE
    return found


intervals = st.integers(1, 3000).flatmap(
    lambda minutes: st.builds(every, minutes=st.just(minutes), offset=st.integers(0, minutes - 1))
)
crontabs = st.builds(
    crontab,
    minute=st.one_of(st.just("*"), st.sets(st.integers(0, 59), min_size=1, max_size=3)),
    hour=st.one_of(st.just("*"), st.sets(st.integers(0, 23), min_size=1, max_size=3)),
    day_of_week=st.one_of(st.just("*"), st.sets(st.integers(0, 6), min_size=1)),
    day_of_month=st.one_of(st.just("*"), st.sets(st.integers(1, 28), min_size=1)),
    month_of_year=st.one_of(st.just("*"), st.sets(st.integers(1, 12), min_size=8)),
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.one_of(intervals, crontabs), moments, st.timedeltas(timedelta(), timedelta(days=4)))
def test_the_instants_are_those_found_by_walking_minute_by_minute(
    schedule: Schedule, after: datetime, length: timedelta
) -> None:
    until = after + length
    expected = walked(schedule, after, until)
    assert firings_between(schedule, after, until) == expected
    if expected:
        assert next_firing(schedule, after) == expected[0]
        assert latest_firing(schedule, until) == expected[-1]
