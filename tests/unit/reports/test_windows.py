"""The windows of schedules, against expectations written by hand, and as arithmetic."""

from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.reports.windows import (
    MOST_COUNTED,
    BadRhythmError,
    Rhythm,
    Window,
    due,
    sending_time,
    until_now,
)

DAILY = "0 0 * * *"
HOUR = timedelta(hours=1)

# Of each: the zone, the cron text or the working days, the window's start and end as the wall clock there shows them
# with its offset, and its length in hours. In the order of the calendar's peculiarities.
CASES = {
    "an ordinary day": ("Europe/Berlin", DAILY, "2026-11-24T00:00+01:00", "2026-11-25T00:00+01:00", 24),
    "a day of half-hour zones": ("Asia/Kolkata", DAILY, "2026-11-24T00:00+05:30", "2026-11-25T00:00+05:30", 24),
    "three quarters": ("Asia/Kathmandu", "0 6 * * *", "2026-11-24T06:00+05:45", "2026-11-25T06:00+05:45", 24),
    # Berlin: 02:00+01 becomes 03:00+02 on 29 March, 03:00+02 becomes 02:00+01 on 25 October.
    "Berlin, forward": ("Europe/Berlin", DAILY, "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23),
    "Berlin, back": ("Europe/Berlin", DAILY, "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
    # New York: 02:00-05 becomes 03:00-04 on 8 March, 02:00-04 becomes 01:00-05 on 1 November.
    "New York, forward": ("America/New_York", DAILY, "2026-03-08T00:00-05:00", "2026-03-09T00:00-04:00", 23),
    "New York, back": ("America/New_York", DAILY, "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", 25),
    # Lord Howe: half an hour, at 02:00 on 4 October and on 5 April.
    "half an hour forward": ("Australia/Lord_Howe", DAILY, "2026-10-04T00:00+10:30", "2026-10-05T00:00+11:00", 23.5),
    "half an hour back": ("Australia/Lord_Howe", DAILY, "2026-04-05T00:00+11:00", "2026-04-06T00:00+10:30", 24.5),
    # 02:30 does not exist on 29 March, so 03:00 takes its place; on 25 October the first one counts.
    "no such time": ("Europe/Berlin", "30 2 * * *", "2026-03-28T02:30+01:00", "2026-03-29T03:00+02:00", 23.5),
    "the day after": ("Europe/Berlin", "30 2 * * *", "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00", 23.5),
    "a time twice": ("Europe/Berlin", "30 2 * * *", "2026-10-24T02:30+02:00", "2026-10-25T02:30+02:00", 24),
    "and the day after": ("Europe/Berlin", "30 2 * * *", "2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00", 25),
    # Havana changes at midnight: 00:00-05 becomes 01:00-04 on 8 March, 01:00-04 becomes 00:00-05 on 1 November.
    "no midnight": ("America/Havana", DAILY, "2026-03-07T00:00-05:00", "2026-03-08T01:00-04:00", 24),
    "a day from one o'clock": ("America/Havana", DAILY, "2026-03-08T01:00-04:00", "2026-03-09T00:00-04:00", 23),
    "midnight twice": ("America/Havana", DAILY, "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", 25),
    # An hourly schedule: the hour that comes twice is one window, and the hour that is left out is none.
    "two hours in one": ("Europe/Berlin", "0 * * * *", "2026-10-25T02:00+02:00", "2026-10-25T03:00+01:00", 2),
    "no hour lost": ("Europe/Berlin", "0 * * * *", "2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00", 1),
    "a week with 167 hours": ("Europe/Berlin", "0 0 * * 1", "2026-03-23T00:00+01:00", "2026-03-30T00:00+02:00", 167),
    "a month": ("Europe/Berlin", "0 0 1 * *", "2026-03-01T00:00+01:00", "2026-04-01T00:00+02:00", 31 * 24 - 1),
    "the year's end": ("Pacific/Auckland", DAILY, "2026-12-31T00:00+13:00", "2027-01-01T00:00+13:00", 24),
    "29 February": ("UTC", DAILY, "2028-02-29T00:00+00:00", "2028-03-01T00:00+00:00", 24),
    "February with 29": ("Asia/Tokyo", "0 0 1 * *", "2028-02-01T00:00+09:00", "2028-03-01T00:00+09:00", 29 * 24),
    "from 29 February to the next": ("UTC", "0 0 29 2 *", "2024-02-29T00:00+00:00", "2028-02-29T00:00+00:00", 35064),
    # Working weeks, from Monday 00:00. Week 53 of 2026 begins on 28 December.
    "five days": ("Europe/Berlin", 5, "2026-11-16T00:00+01:00", "2026-11-21T00:00+01:00", 120),
    "six days": ("Europe/Berlin", 6, "2026-11-16T00:00+01:00", "2026-11-22T00:00+01:00", 144),
    "five days of ISO week 53": ("Europe/Berlin", 5, "2026-12-28T00:00+01:00", "2027-01-02T00:00+01:00", 120),
    "six days of ISO week 53": ("Europe/Berlin", 6, "2026-12-28T00:00+01:00", "2027-01-03T00:00+01:00", 144),
    # Cairo goes forward on Friday 24 April at midnight; Havana's Sunday of 8 March begins at one o'clock.
    "five days, forward": ("Africa/Cairo", 5, "2026-04-20T00:00+02:00", "2026-04-25T00:00+03:00", 119),
    "six days to no midnight": ("America/Havana", 6, "2026-03-02T00:00-05:00", "2026-03-08T01:00-04:00", 144),
}


def rhythm_of(zone, pattern):
    if isinstance(pattern, int):
        return Rhythm(cron="", timezone=zone, working_days=pattern)
    return Rhythm(cron=pattern, timezone=zone)


@pytest.mark.parametrize("case", CASES)
def test_a_window_is_the_one_expected(case):
    zone, pattern, start, end, hours = CASES[case]
    expected = Window(start=datetime.fromisoformat(start), end=datetime.fromisoformat(end))
    assert expected.end - expected.start == hours * HOUR  # so that the table agrees with itself
    rhythm = rhythm_of(zone, pattern)
    assert rhythm.window_ending(expected.end) == expected
    assert next(rhythm.ends_until(expected.end)) == expected.end
    assert next(rhythm.ends_until(expected.end - timedelta(microseconds=1))) < expected.end
    assert rhythm.next_end(expected.end - timedelta(microseconds=1)) == expected.end
    assert rhythm.next_end(expected.end) > expected.end
    [window] = due(rhythm, next_run_at=expected.end, now=expected.end + timedelta(minutes=4)).windows
    assert window == expected


def test_a_schedule_that_is_not_due_has_no_window():
    at = datetime(2026, 11, 25, tzinfo=UTC)
    found = due(Rhythm(cron=DAILY, timezone="UTC"), next_run_at=at, now=at - timedelta(microseconds=1))
    assert (found.windows, found.skipped) == ((), 0)


def test_of_missed_windows_the_latest_three_are_made_and_the_others_counted():
    berlin = ZoneInfo("Europe/Berlin")
    days = [datetime(2026, 3, day, tzinfo=berlin) for day in range(25, 32)]  # with the change of clocks among them
    found = due(Rhythm(cron=DAILY, timezone="Europe/Berlin"), next_run_at=days[1], now=days[6] + HOUR)
    assert [window.end for window in found.windows] == [day.astimezone(UTC) for day in days[4:7]]
    assert found.skipped == 3


def test_a_moment_that_is_no_end_of_a_window_counts_from_there():
    """As after a change of the cron text, or an entry by hand."""
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
    rhythm = Rhythm(cron=DAILY, timezone="UTC")
    assert due(rhythm, next_run_at=noon, now=noon + HOUR).windows == ()
    [window] = due(rhythm, next_run_at=noon, now=noon + 13 * HOUR).windows
    assert window.end == datetime(2026, 11, 26, tzinfo=UTC)


def test_many_years_of_minutes_are_counted_up_to_a_limit():
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    found = due(Rhythm(cron="* * * * *", timezone="UTC"), next_run_at=long_ago, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert (len(found.windows), found.skipped) == (3, MOST_COUNTED - 3)


def test_a_report_now_is_about_the_time_since_the_last_window():
    rhythm = Rhythm(cron=DAILY, timezone="Asia/Kolkata")
    now = datetime(2026, 11, 25, 12, 30, 15, 500, tzinfo=UTC)
    midnight = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
    assert until_now(rhythm, last_window_end=None, now=now) == Window(start=midnight, end=now)
    earlier = midnight - 48 * HOUR
    assert until_now(rhythm, last_window_end=earlier, now=now) == Window(start=earlier, end=now)
    at_the_end = until_now(rhythm, last_window_end=midnight, now=midnight)
    assert at_the_end == Window(start=midnight - 24 * HOUR, end=midnight)


@pytest.mark.parametrize(
    ("send_at", "expected"),
    [
        (time(0), "2026-03-29T00:00+01:00"),
        (time(2, 30), "2026-03-29T03:00+02:00"),  # which does not exist on that day
        (time(8), "2026-03-29T08:00+02:00"),
    ],
)
def test_it_is_sent_on_the_day_on_which_its_window_ends(send_at, expected):
    zone = ZoneInfo("Europe/Berlin")
    end = datetime(2026, 3, 29, tzinfo=zone).astimezone(UTC)
    window = Window(start=end - 24 * HOUR, end=end)
    assert sending_time(window, send_at=send_at, zone=zone) == datetime.fromisoformat(expected)


def test_it_is_sent_on_the_next_day_where_that_time_has_passed():
    zone = ZoneInfo("Europe/Berlin")
    end = datetime(2026, 10, 24, 18, tzinfo=zone).astimezone(UTC)
    window = Window(start=end - 24 * HOUR, end=end)
    assert sending_time(window, send_at=time(8), zone=zone) == datetime.fromisoformat("2026-10-25T08:00+01:00")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cron": "0 0 * *"}, "five fields"),
        ({"cron": ""}, "five fields"),
        ({"cron": "0 0 0 * * *"}, "five fields"),
        ({"cron": "61 0 * * *"}, "Bad minute"),
        ({"cron": "0 0 30 2 *"}, "Bad day-of-month"),
        ({"timezone": "Mars/Olympus"}, "IANA"),
        ({"timezone": "Asia"}, "IANA"),
        ({"timezone": "../../etc/passwd"}, "IANA"),
        ({"timezone": ""}, "IANA"),
        ({"working_days": 7}, "5 or 6"),
    ],
)
def test_what_says_no_times_is_refused_in_words(fields, said):
    with pytest.raises(BadRhythmError, match=said):
        Rhythm(**{"cron": DAILY, "timezone": "UTC", **fields})


ZONES = st.sampled_from(
    [
        *("UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Asia/Kolkata", "Australia/Lord_Howe"),
        *("Africa/Cairo", "Pacific/Apia", "America/Santiago", "Africa/Casablanca", "Asia/Beirut", "Atlantic/Azores"),
    ]
)
CRONS = st.builds(
    "{} {} {} {} {}".format,
    st.sampled_from(["0", "30", "*/20", "15,45", "59"]),
    st.sampled_from(["0", "1", "2", "3", "*", "*/6", "0,2", "23"]),
    st.sampled_from(["*", "1", "29", "31", "L", "1-7"]),
    st.sampled_from(["*", "3,10", "2"]),
    st.sampled_from(["*", "0", "1", "6", "1-5", "0#1"]),
)


# Any instant, and those around which clocks change: the hours before and after midnight UTC of some Sundays.
INSTANTS = st.datetimes(datetime(2010, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)) | st.builds(  # noqa: DTZ001
    lambda day, minutes: datetime.fromisoformat(f"{day}T00:00+00:00") + timedelta(minutes=minutes),
    st.sampled_from(["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04"]),
    st.integers(-12 * 60, 12 * 60),
)


@given(zone=ZONES, cron=CRONS, at=INSTANTS)
def test_the_windows_of_a_schedule_tile_time(zone, cron, at):
    try:
        rhythm = rhythm_of(zone, cron)
    except BadRhythmError:  # 31 February
        assume(False)
    backwards = [rhythm.window_ending(end) for end in islice(rhythm.ends_until(at), 12)]
    assert all(later.start == earlier.end for later, earlier in pairwise(backwards))
    assert all(window.start < window.end for window in backwards)
    ends = [at]
    for _ in range(12):
        ends.append(rhythm.next_end(ends[-1]))
    forwards = [rhythm.window_ending(end) for end in ends[1:]]
    assert forwards[0].start == backwards[0].end <= at < forwards[0].end
    assert all(earlier.end == later.start for earlier, later in pairwise(forwards))


@given(zone=ZONES, days=st.sampled_from([5, 6]), at=INSTANTS)
def test_working_weeks_begin_on_mondays_and_never_overlap(zone, days, at):
    rhythm = Rhythm(cron="ignored", timezone=zone, working_days=days)
    windows = [rhythm.window_ending(end) for end in islice(rhythm.ends_until(at), 6)]
    for window in windows:
        first, end = (instant.astimezone(ZoneInfo(zone)) for instant in (window.start, window.end))
        assert first.isoweekday() == 1
        assert (end.date() - first.date()).days == days
    assert all(earlier.end < later.start for later, earlier in pairwise(windows))
