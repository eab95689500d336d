"""The clock, against a hand-made calendar and against a slow walk over every minute that shares no code with it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.helpdesk.business_time import BusinessHours, Period, due_at, elapsed, first_instant

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")
# Half-hour offsets, a half-hour DST (Lord Howe), DST at midnight (Azores, Beirut), southern DST, no DST.
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Atlantic/Azores",
    "Asia/Beirut",
    "Pacific/Auckland",
    "UTC",
]


def hours(zone: ZoneInfo = NEW_YORK, opens: str = "09:00", closes: str = "17:00", **kwargs) -> BusinessHours:
    weekdays = kwargs.pop("weekdays", {1, 2, 3, 4, 5})
    return BusinessHours(
        zone=zone,
        opens=time.fromisoformat(opens),
        closes=time.fromisoformat(closes),
        weekdays=frozenset(weekdays),
        **kwargs,
    )


def local(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def test_without_hours_all_time_counts_but_holds() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    holds = [(start + 2 * HOUR, start + 5 * HOUR), (start + 4 * HOUR, start + 6 * HOUR)]
    assert elapsed(start, start + 10 * HOUR) == 10 * HOUR
    assert elapsed(start, start + 10 * HOUR, holds=holds) == 6 * HOUR
    assert due_at(start, 3 * HOUR, until=start + 10 * HOUR, holds=holds) == start + 7 * HOUR


def test_nothing_has_elapsed_before_the_start() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    assert elapsed(start, start - HOUR) == timedelta()
    assert due_at(start, MINUTE, until=start - HOUR) is None


def test_a_night_and_a_weekend_do_not_count() -> None:
    friday_evening = local("2026-11-20T16:00")
    assert elapsed(friday_evening, local("2026-11-23T10:00"), hours=hours()) == 2 * HOUR
    assert due_at(friday_evening, 2 * HOUR, until=local("2027-01-01T00:00"), hours=hours()) == local(
        "2026-11-23T10:00"
    )


def test_a_time_that_ends_with_the_window_is_due_at_its_end_and_not_the_next_morning() -> None:
    start = local("2026-11-20T16:00")
    assert due_at(start, HOUR, until=local("2026-12-01T00:00"), hours=hours()) == local("2026-11-20T17:00")


def test_a_hold_takes_away_only_business_time() -> None:
    over_the_weekend = (local("2026-11-20T17:00").astimezone(UTC), local("2026-11-23T09:00").astimezone(UTC))
    into_monday = (over_the_weekend[0], local("2026-11-23T11:00").astimezone(UTC))
    start, end = local("2026-11-20T16:00"), local("2026-11-23T12:00")
    assert elapsed(start, end, hours=hours(), holds=[over_the_weekend]) == 4 * HOUR
    assert elapsed(start, end, hours=hours(), holds=[into_monday]) == 2 * HOUR


def test_holidays_of_one_year_and_of_every_year_are_skipped() -> None:
    start, end = local("2026-12-23T09:00"), local("2026-12-29T09:00")  # Wednesday to Tuesday
    free = hours(holidays=frozenset({date(2026, 12, 24)}), yearly=frozenset({(12, 25)}))
    assert elapsed(start, end, hours=hours()) == 4 * 8 * HOUR
    assert elapsed(start, end, hours=free) == 2 * 8 * HOUR


def test_equal_times_are_a_whole_day_and_days_join_without_a_seam() -> None:
    always = hours(opens="00:00", closes="00:00", weekdays={1, 2, 3, 4, 5, 6, 7})
    start, end = local("2026-01-01T05:17"), local("2026-12-31T22:44")
    assert elapsed(start, end, hours=always) == end.astimezone(UTC) - start.astimezone(UTC)


@pytest.mark.parametrize(("day", "real_hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-06-01", 24)])
def test_a_whole_day_lasts_as_long_as_it_really_does(day: str, real_hours: int) -> None:
    whole = hours(opens="00:00", closes="00:00", weekdays={1, 2, 3, 4, 5, 6, 7})
    start = local(f"{day}T00:00")
    assert elapsed(start, local((date.fromisoformat(day) + timedelta(days=1)).isoformat()), hours=whole) == (
        real_hours * HOUR
    )


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    night = hours(opens="22:00", closes="06:00", weekdays={5})
    assert elapsed(local("2026-11-16T00:00"), local("2026-11-23T00:00"), hours=night) == 8 * HOUR
    assert elapsed(local("2026-11-21T00:00"), local("2026-11-23T00:00"), hours=night) == 6 * HOUR


def test_a_time_that_the_clock_jumps_over_is_the_moment_of_the_jump() -> None:
    assert first_instant(date(2026, 3, 8), time(2, 30), NEW_YORK) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    assert first_instant(date(2026, 3, 8), time(2, 30, 15, 7), NEW_YORK) == datetime(2026, 3, 8, 7, 0, tzinfo=UTC)


def test_a_time_that_the_clock_shows_twice_is_the_first_of_the_two() -> None:
    assert first_instant(date(2026, 11, 1), time(1, 30), NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_a_window_that_has_opened_stays_open_when_the_clock_goes_back_to_the_day_before() -> None:
    st_johns = ZoneInfo("America/St_Johns")  # went from 00:01 on Sunday back to 23:01 on Saturday, at 02:31 UTC
    sunday = hours(st_johns, opens="00:00", closes="08:00", weekdays={7})
    saturday_again = (datetime(2010, 11, 7, 2, 35, tzinfo=UTC), datetime(2010, 11, 7, 2, 55, tzinfo=UTC))
    assert elapsed(*saturday_again, hours=sunday) == 20 * MINUTE


def test_a_day_that_a_place_skipped_has_no_hours() -> None:
    apia = ZoneInfo("Pacific/Apia")  # had no 30 December 2011
    assert first_instant(date(2011, 12, 30), time(9), apia) == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)
    week = (local("2011-12-28T00:00", apia), local("2012-01-01T00:00", apia))  # Wednesday to Saturday
    assert elapsed(*week, hours=hours(apia)) == 2 * 8 * HOUR


def test_where_no_hour_ever_counts_nothing_is_due() -> None:
    start = local("2026-11-20T16:00")
    never = hours(weekdays=set())
    assert due_at(start, HOUR, until=start + timedelta(days=3650), hours=never) is None


# The walk: each minute counts or it does not. The hand of a clock that never goes back shows, at any instant, the
# latest local time shown so far; the minute counts while that hand stands in the hours of a working day.


def slow_minutes(since: datetime, until: datetime, agreed: BusinessHours, holds: list[Period]) -> list[datetime]:
    counted = []
    instant = since.astimezone(UTC) - timedelta(days=2)
    hand = datetime.min  # noqa: DTZ901 - a local time
    while instant < until:
        hand = max(hand, instant.astimezone(agreed.zone).replace(tzinfo=None))
        held = any(begin <= instant < end for begin, end in holds)
        if instant >= since and not held and hand_is_in_hours(hand, agreed):
            counted.append(instant)
        instant += MINUTE
    return counted


def hand_is_in_hours(hand: datetime, agreed: BusinessHours) -> bool:
    clock, today = hand.time(), hand.date()
    yesterday = today - timedelta(days=1)
    if agreed.closes > agreed.opens:
        return agreed.opens <= clock < agreed.closes and is_working_day(today, agreed)
    return (clock >= agreed.opens and is_working_day(today, agreed)) or (
        clock < agreed.closes and is_working_day(yesterday, agreed)
    )


def is_working_day(day: date, agreed: BusinessHours) -> bool:
    every_year = f"{day:%m-%d}" in {f"{month:02}-{number:02}" for month, number in agreed.yearly}
    return day.weekday() + 1 in agreed.weekdays and day not in agreed.holidays and not every_year


CLOCK_CHANGES = {
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "America/New_York": ["2026-03-08", "2026-11-01"],
    "America/St_Johns": ["2026-03-08", "2026-11-01"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-10-04"],
    "Atlantic/Azores": ["2026-03-29", "2026-10-25"],
    "Asia/Beirut": ["2026-03-29", "2026-10-25"],
    "Pacific/Auckland": ["2026-04-05", "2026-09-27"],
}


@st.composite
def spans(draw: st.DrawFn) -> tuple[datetime, datetime, BusinessHours, list[Period]]:
    """Up to twelve days, mostly around a change of the clocks."""
    name = draw(st.sampled_from(ZONES))
    near = date.fromisoformat(draw(st.sampled_from([*CLOCK_CHANGES.get(name, []), "2026-07-15", "2026-12-30"])))
    clock = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
    minutes = st.integers(0, 12 * 24 * 60)
    midnight = datetime.combine(near, time(), tzinfo=UTC)
    since = midnight + draw(st.integers(-6 * 24 * 60, 60)) * MINUTE
    days = [near + timedelta(days=number) for number in range(-6, 7)]
    agreed = BusinessHours(
        zone=ZoneInfo(name),
        opens=draw(clock),
        closes=draw(clock),
        weekdays=frozenset(draw(st.sets(st.integers(1, 7), min_size=1))),
        holidays=frozenset(draw(st.sets(st.sampled_from(days), max_size=2))),
        yearly=frozenset((day.month, day.day) for day in draw(st.sets(st.sampled_from(days), max_size=1))),
    )
    begun = draw(st.lists(st.tuples(minutes, st.integers(0, 48 * 60)), max_size=3))
    holds = [(since + begin * MINUTE, since + (begin + length) * MINUTE) for begin, length in begun]
    return since, since + draw(minutes) * MINUTE, agreed, holds


@settings(max_examples=150, deadline=None)
@given(spans())
def test_elapsed_time_is_what_a_walk_over_every_minute_counts(span) -> None:
    since, until, agreed, holds = span
    assert elapsed(since, until, hours=agreed, holds=holds) == len(slow_minutes(since, until, agreed, holds)) * MINUTE


@settings(max_examples=150, deadline=None)
@given(spans(), st.integers(1, 3 * 24 * 60))
def test_it_is_due_when_the_walk_has_counted_enough_minutes(span, needed: int) -> None:
    since, until, agreed, holds = span
    counted = slow_minutes(since, until, agreed, holds)
    expected = counted[needed - 1] + MINUTE if len(counted) >= needed else None
    assert due_at(since, needed * MINUTE, until=until, hours=agreed, holds=holds) == expected


@settings(max_examples=200, deadline=None)
@given(spans(), st.integers(0, 100))
def test_two_parts_of_a_span_add_up_to_the_whole(span, percent: int) -> None:
    since, until, agreed, holds = span
    middle = since + (until - since) * percent / 100
    parts = elapsed(since, middle, hours=agreed, holds=holds) + elapsed(middle, until, hours=agreed, holds=holds)
    assert parts == elapsed(since, until, hours=agreed, holds=holds)
