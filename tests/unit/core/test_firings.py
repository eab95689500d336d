from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from celery import current_app
from celery.beat import ScheduleEntry
from celery.schedules import crontab, schedule
from hypothesis import given
from hypothesis import strategies as st

from apps.core.exceptions import DeclarationError
from apps.core.schedules import Entry
from apps.core.schedules.firings import latest_firing
from apps.core.schedules.scheduler import stamped

NOW = datetime(2026, 11, 23, 12, 30, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("12,42 * * * *", "2026-11-23T12:12"),
        ("30 * * * *", "2026-11-23T12:30"),
        ("31 * * * *", "2026-11-23T11:31"),
        ("0 0 * * 1", "2026-11-23T00:00"),
        ("0 0 * * 0", "2026-11-22T00:00"),
        ("3 3,16 * * *", "2026-11-23T03:03"),
        ("0 0 29 2 *", "2024-02-29T00:00"),
    ],
)
def test_the_latest_firing_is_the_last_due_minute(cron: str, expected: str) -> None:
    assert latest_firing(crontab.from_string(cron), NOW) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_the_leap_day_is_found_across_a_century_without_one() -> None:
    found = latest_firing(crontab.from_string("0 0 29 2 *"), datetime(2104, 2, 28, tzinfo=UTC))
    assert found == datetime(2096, 2, 29, tzinfo=UTC)


def test_a_leap_day_on_a_given_weekday_is_found_across_forty_years() -> None:
    found = latest_firing(crontab.from_string("0 0 29 2 1"), datetime(2112, 2, 28, tzinfo=UTC))
    assert found == datetime(2072, 2, 29, tzinfo=UTC)


def test_the_moment_may_be_given_in_any_zone() -> None:
    local = NOW.astimezone(ZoneInfo("Asia/Kolkata"))
    assert latest_firing(crontab.from_string("12 * * * *"), local) == datetime(2026, 11, 23, 12, 12, tzinfo=UTC)


fields = st.tuples(
    st.sets(st.integers(0, 59), min_size=1, max_size=3), st.sets(st.integers(0, 23), min_size=1, max_size=3)
)


@given(fields, st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_it_agrees_with_walking_back_minute_by_minute(spec: tuple[set[int], set[int]], now: datetime) -> None:
    minutes, hours = spec
    found = latest_firing(crontab(minute=sorted(minutes), hour=sorted(hours)), now)
    moment = now.replace(second=0, microsecond=0)
    while not (moment.minute in minutes and moment.hour in hours):
        moment -= timedelta(minutes=1)
    assert found == moment


def test_a_fired_entry_carries_its_firing_and_the_timetable_stays_as_it_was() -> None:
    entry = ScheduleEntry(
        name="n", task="t", schedule=crontab.from_string("12,42 * * * *"), options={"expires": 5}, app=current_app
    )
    fired = stamped(entry, NOW)
    assert fired.options == {"expires": 5, "headers": {"bgjobs_firing": "2026-11-23T12:12:00+00:00"}}
    assert entry.options == {"expires": 5}


def test_a_plain_interval_carries_none() -> None:
    entry = ScheduleEntry(name="n", task="t", schedule=schedule(60.0, app=current_app), options={}, app=current_app)
    assert stamped(entry, NOW) is entry


@pytest.mark.parametrize("cron", ["61 * * * *", "* * * *", "a b c d e", "", "*/0 * * * *"])
def test_a_bad_cron_expression_is_refused_with_the_entrys_name(cron: str) -> None:
    with pytest.raises(DeclarationError, match="Entry 'n'"):
        Entry(name="n", task="t", cron=cron, expires=60)


def test_an_entry_must_expire() -> None:
    with pytest.raises(DeclarationError, match="expires above 0"):
        Entry(name="n", task="t", cron="* * * * *", expires=0)
