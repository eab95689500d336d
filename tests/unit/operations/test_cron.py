"""Cron text on the clock of a place."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.operations.cron import CronError, check_cron, local_times

from .templates import planned

NEW_YORK = "America/New_York"  # forward on 8 March 2026 at 07:00 UTC, back on 1 November 2026 at 06:00 UTC


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (
            "2026-03-06",
            "2026-03-10",
            ["2026-03-06 14:00", "2026-03-07 14:00", "2026-03-08 13:00", "2026-03-09 13:00"],
        ),
        ("2026-10-31", "2026-11-03", ["2026-10-31 13:00", "2026-11-01 14:00", "2026-11-02 14:00"]),
    ],
    ids=["clocks go forward", "clocks go back"],
)
def test_nine_oclock_stays_nine_oclock(since, until, expected):
    assert planned(since, until, timezone=NEW_YORK, cron="0 9 * * *") == expected


def test_a_time_that_does_not_exist_is_the_next_valid_instant():
    days = planned("2026-03-07", "2026-03-10", timezone=NEW_YORK, cron="30 2 * * *")
    assert days == ["2026-03-07 07:30", "2026-03-08 07:00", "2026-03-09 06:30"]


def test_two_times_that_do_not_exist_are_one_instant():
    day = planned("2026-03-08 06:00", "2026-03-08 08:00", timezone=NEW_YORK, cron="0,20,40 2,3 * * *")
    assert day == ["2026-03-08 07:00", "2026-03-08 07:20", "2026-03-08 07:40"]


def test_a_time_that_comes_twice_is_planned_once_and_is_the_first():
    days = planned("2026-10-31", "2026-11-03", timezone=NEW_YORK, cron="30 1 * * *")
    assert days == ["2026-10-31 05:30", "2026-11-01 05:30", "2026-11-02 06:30"]


def test_between_the_two_the_first_has_passed():
    assert planned("2026-11-01 06:00", "2026-11-01 12:00", timezone=NEW_YORK, cron="30 1 * * *") == []


def test_every_hour_is_every_hour_that_passes():
    forward = planned("2026-03-08 05:00", "2026-03-08 09:00", timezone=NEW_YORK, cron="0 * * * *")
    assert forward == ["2026-03-08 05:00", "2026-03-08 06:00", "2026-03-08 07:00", "2026-03-08 08:00"]
    back = planned("2026-11-01 04:00", "2026-11-01 09:00", timezone=NEW_YORK, cron="0 * * * *")
    assert back == [f"2026-11-01 0{hour}:00" for hour in (4, 5, 6, 7, 8)]


@pytest.mark.parametrize("cron", ["15 0-23 * * *", "15 */1 * * *"])
def test_every_hour_has_many_names(cron):
    assert len(planned("2026-11-01 04:00", "2026-11-02 05:00", timezone=NEW_YORK, cron=cron)) == 25


def test_a_half_hour_zone_has_its_own_clock():
    assert planned("2026-11-23", "2026-11-25", timezone="Asia/Kolkata", cron="0 9 * * *") == [
        "2026-11-23 03:30",
        "2026-11-24 03:30",
    ]


def test_a_change_by_half_an_hour_is_a_change():
    days = planned("2026-10-03", "2026-10-05 00:00", timezone="Australia/Lord_Howe", cron="15 2 * * *")
    assert days == ["2026-10-03 15:30", "2026-10-04 15:15"]  # 02:15 does not exist on the 4th, and is 02:30


def test_a_day_that_a_place_leaves_out_is_the_moment_behind_it():
    days = planned("2011-12-29 12:00", "2012-01-01", timezone="Pacific/Apia", cron="0 9 * * *", valid_from=UTC_2011)
    assert days == ["2011-12-29 19:00", "2011-12-30 10:00", "2011-12-30 19:00", "2011-12-31 19:00"]


UTC_2011 = datetime(2011, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("61 9 * * *", "bad minute"),
        ("0 25 * * *", "bad hour"),
        ("0 9 * *", "five fields"),
        ("0 0 9 * * *", "five fields"),
        ("nine o'clock", "five fields"),
        ("", "five fields"),
        ("0 9 31 2 *", "bad day-of-month"),
        ("0 9 * * 8", "bad day-of-week"),
        ("*/0 * * * *", "bad minute"),
    ],
)
def test_what_is_no_cron_is_an_error_that_says_why(cron, said):
    with pytest.raises(CronError, match=said):
        check_cron(cron)


@given(st.text(alphabet="0123456789*/-,L#W MONJAN", max_size=30))
def test_any_text_is_a_cron_or_an_error(text):
    with suppress(CronError):
        check_cron(text)


@given(
    zone=st.sampled_from([NEW_YORK, "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Europe/London"]),
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    day=st.dates(date(2025, 1, 1), date(2027, 1, 1)),
)
def test_a_daily_job_is_planned_once_for_each_local_day(zone, minute, hour, day):
    since = datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
    days = planned(
        since.isoformat(), (since + timedelta(days=200)).isoformat(), timezone=zone, cron=f"{minute} {hour} * * *"
    )
    local = [datetime.fromisoformat(day).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)) for day in days]
    assert len(local) >= 198
    assert all(abs((later.date() - one.date()).days) == 1 for one, later in pairwise(local))
    off = [one for one in local if (one.hour, one.minute) != (hour, minute)]
    assert len(off) <= 1  # in the hour that the clocks leave out


def test_local_times_begin_where_they_are_told_to():
    nine = datetime(2026, 11, 23, 9)  # noqa: DTZ001 - a local time
    assert list(islice(local_times("0 9 * * *", nine), 2)) == [nine, nine + timedelta(days=1)]
