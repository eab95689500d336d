"""Local times that are skipped or come twice, beside what the library cronsim makes of the same zones."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from celery.schedules import crontab
from cronsim import CronSim

from apps.core.exceptions import DeclarationError
from apps.core.schedules.daylight import Disturbance, Transition, disturbances, in_words, transitions

ZONES = sorted(available_timezones())
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MARGIN = 5 * MINUTE  # on both sides of what is skipped or comes twice: must not count
# Where days of the month and of the week are both restricted, cron takes either, and Celery both: not compared.
SCHEDULES = (
    "* * * * *",
    "30 2 * * *",
    "*/15 * * * *",
    "0 0 * * *",
    "30 1 * * 0",
    "*/7 1-3 * * *",
    "0,29,59 0-2,23 * 3,4,9-11 *",
    "5-55/10 */2 25-31 * *",
)

Moments = tuple[datetime, ...]


def by_cronsim(change: Transition, zone: str) -> dict[str, tuple[Moments, Moments]]:
    """What each schedule skips and repeats around a change of clocks: its times that never come, and that come twice.

    Given a zone, cronsim goes through every real minute of "* * * * *". Other schedules it moves there, as Debian's
    cron does; without a zone it knows no clocks that change, and gives the times that match.
    """
    reach = abs(change.after - change.before) + MARGIN + 2 * MINUTE
    walk = CronSim("* * * * *", (change.at - reach).astimezone(ZoneInfo(zone)))
    real = Counter(local.replace(tzinfo=None, fold=0) for local in islice(walk, 2 * reach // MINUTE))
    old, new = (change.at.replace(tzinfo=None) + offset for offset in (change.before, change.after))
    found = {}
    for schedule in SCHEDULES:
        matches = matches_by_cronsim(schedule, min(old, new) - MARGIN, max(old, new) + MARGIN)
        found[schedule] = (
            tuple(local for local in matches if not real[local]),
            tuple(local for local in matches if real[local] > 1),
        )
    return found


@cache
def matches_by_cronsim(schedule: str, first: datetime, last: datetime) -> Moments:
    return tuple(takewhile(lambda local: local <= last, CronSim(schedule, first - SECOND)))


def by_hours(zone: str, first: int, last: int) -> list[tuple[datetime, timedelta, timedelta]]:
    """The hours of some years behind which the offset is another one than at their start."""
    info = ZoneInfo(zone)
    start = datetime(first, 1, 1, tzinfo=UTC)
    hours = [start + number * HOUR for number in range((datetime(last + 1, 1, 1, tzinfo=UTC) - start) // HOUR)]
    offsets = [offset_of(info, hour) for hour in hours]
    steps = zip(hours, pairwise(offsets), strict=False)
    return [(hour, before, after) for hour, (before, after) in steps if before != after]


def offset_of(info: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(info).utcoffset()
    assert offset is not None
    return offset


def found(schedule: str, zone: str, first: int = 2020, last: int = 2037) -> tuple[list[str], list[str]]:
    """What is skipped and what is repeated, as text."""
    some = disturbances(crontab.from_string(schedule), zone, first=first, last=last)
    return (
        [f"{local:%Y-%m-%d %H:%M}" for one in some for local in one.skipped],
        [f"{local:%Y-%m-%d %H:%M}" for one in some for local in one.repeated],
    )


def words(schedule: str, zone: str, first: int, last: int) -> str:
    return in_words(disturbances(crontab.from_string(schedule), zone, first=first, last=last))


def changes(zone: str, first: int, last: int) -> list[tuple[str, float]]:
    """When the clocks change, in UTC, and by how many hours."""
    return [
        (f"{change.at:%Y-%m-%d %H:%M:%S}", (change.after - change.before) / HOUR)
        for change in transitions(zone, first=first, last=last)
    ]


def test_every_schedule_in_every_zone_skips_and_repeats_what_cronsim_says() -> None:
    zone_of = {change: zone for zone in ZONES for change in transitions(zone)}
    expected = {change: by_cronsim(change, zone) for change, zone in zone_of.items()}
    for change, by_schedule in expected.items():
        every_minute = by_schedule["* * * * *"]
        assert [len(minutes) * MINUTE for minutes in every_minute] == [
            max(change.after - change.before, timedelta()),
            max(change.before - change.after, timedelta()),
        ]
    for schedule in SCHEDULES:
        read = crontab.from_string(schedule)
        for zone in ZONES:
            assert disturbances(read, zone) == tuple(
                Disturbance(zone=zone, transition=change, skipped=skipped, repeated=repeated)
                for change in transitions(zone)
                for skipped, repeated in [expected[change][schedule]]
                if skipped or repeated
            ), (schedule, zone)
    assert len(ZONES) > 500
    assert len(expected) > 500


@pytest.mark.parametrize(
    ("zone", "year"),
    [
        ("Africa/Monrovia", 1972),  # 44 minutes and 30 seconds
        ("America/Inuvik", 1953),  # eight hours back
        ("America/Juneau", 1867),  # a day that came twice
        ("Asia/Kathmandu", 1985),  # a quarter of an hour
        ("Europe/Paris", 1911),  # 9 minutes and 21 seconds back
        ("Pacific/Apia", 2011),  # a day that never was, beside daylight saving time
    ],
)
def test_unusual_changes_skip_and_repeat_what_cronsim_says(zone: str, year: int) -> None:
    known = transitions(zone, first=year, last=year)
    assert known
    for schedule in SCHEDULES:
        some = disturbances(crontab.from_string(schedule), zone, first=year, last=year)
        by_change = {one.transition: (one.skipped, one.repeated) for one in some}
        for change in known:
            assert by_change.get(change, ((), ())) == by_cronsim(change, zone)[schedule]


def test_the_offset_of_every_zone_stays_between_the_changes() -> None:
    start, days = datetime(2020, 1, 1, tzinfo=UTC), 18 * 365
    for zone in ZONES:
        info = ZoneInfo(zone)
        known = list(transitions(zone))
        offset = known[0].before if known else offset_of(info, start)
        for day in range(0, days, 17):
            instant = start + day * DAY
            while known and known[0].at <= instant:
                offset = known.pop(0).after
            assert offset_of(info, instant) == offset, (zone, instant)


def test_a_change_is_found_to_the_second() -> None:
    for zone in ZONES[::10]:
        info = ZoneInfo(zone)
        for change in transitions(zone):
            assert offset_of(info, change.at - SECOND) == change.before
            assert offset_of(info, change.at) == change.after


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("Africa/Casablanca", 2020, 2025),
        ("America/New_York", 2034, 2037),
        ("Antarctica/Casey", 2020, 2024),
        ("Antarctica/Troll", 2025, 2028),
        ("Asia/Gaza", 2022, 2026),
        ("Europe/Volgograd", 2018, 2021),
    ],
)
def test_the_changes_are_those_that_a_walk_hour_by_hour_finds(zone: str, first: int, last: int) -> None:
    known = [
        ((change.at - SECOND).replace(minute=0, second=0), change.before, change.after)
        for change in transitions(zone, first=first, last=last)
    ]
    assert known == by_hours(zone, first, last)


@pytest.mark.parametrize(
    ("zone", "year", "expected"),
    [
        ("Africa/Cairo", 2024, [("2024-04-25 22:00:00", 1), ("2024-10-31 21:00:00", -1)]),
        ("Africa/Casablanca", 2024, [("2024-03-10 02:00:00", -1), ("2024-04-14 02:00:00", 1)]),
        ("Africa/Juba", 2021, [("2021-01-31 21:00:00", -1)]),
        ("Africa/Monrovia", 1972, [("1972-01-07 00:44:30", 44.5 / 60)]),
        ("America/New_York", 2026, [("2026-03-08 07:00:00", 1), ("2026-11-01 06:00:00", -1)]),
        ("America/Santiago", 2024, [("2024-04-07 03:00:00", -1), ("2024-09-08 04:00:00", 1)]),
        ("Antarctica/Troll", 2024, [("2024-03-31 01:00:00", 2), ("2024-10-27 01:00:00", -2)]),
        ("Australia/Lord_Howe", 2024, [("2024-04-06 15:00:00", -0.5), ("2024-10-05 15:30:00", 0.5)]),
        ("Europe/Volgograd", 2020, [("2020-12-26 22:00:00", -1)]),
        ("Pacific/Apia", 2020, [("2020-04-04 14:00:00", -1), ("2020-09-26 14:00:00", 1)]),
        ("Pacific/Kwajalein", 1993, [("1993-08-21 12:00:00", 24)]),
    ],
)
def test_well_known_changes_are_found(zone: str, year: int, expected: list[tuple[str, float]]) -> None:
    assert changes(zone, year, year) == expected


def test_a_year_begins_with_its_first_second_in_utc() -> None:
    assert changes("America/Inuvik", 1953, 1953) == [("1953-01-01 00:00:00", -8)]
    assert changes("America/Inuvik", 1952, 1952) == []
    # The last second of 1981 was 07:29:59 of New Year's Day in Singapore.
    assert changes("Asia/Singapore", 1981, 1981) == [("1981-12-31 16:00:00", 0.5)]
    assert changes("Asia/Singapore", 1982, 1982) == []


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Etc/GMT+5"])
def test_clocks_that_never_change_disturb_nothing(zone: str) -> None:
    assert transitions(zone) == ()
    assert disturbances(crontab.from_string("* * * * *"), zone) == ()


def test_new_york_skips_half_past_two_each_spring_and_repeats_half_past_one_each_autumn() -> None:
    skipped, repeated = found("30 2 * * *", "America/New_York")
    assert len(skipped) == len({moment[:4] for moment in skipped}) == 18
    assert "2026-03-08 02:30" in skipped
    assert repeated == []
    skipped, repeated = found("30 1 * * *", "America/New_York")
    assert skipped == []
    assert len(repeated) == len({moment[:4] for moment in repeated}) == 18
    assert "2026-11-01 01:30" in repeated


@pytest.mark.parametrize("schedule", ["59 1 * * *", "0 3 * * *", "59 0 * * *", "0 2 31 12 *"])
def test_the_minutes_beside_the_hour_are_left_alone(schedule: str) -> None:
    skipped, repeated = found(schedule, "America/New_York", 2026, 2026)
    assert skipped == []
    assert repeated == (["2026-11-01 01:59"] if schedule == "59 1 * * *" else [])


def test_where_clocks_move_by_half_an_hour_so_much_is_skipped_and_repeated() -> None:
    skipped, repeated = found("*/10 * * * *", "Australia/Lord_Howe", 2024, 2024)
    assert skipped == ["2024-10-06 02:00", "2024-10-06 02:10", "2024-10-06 02:20"]
    assert repeated == ["2024-04-07 01:30", "2024-04-07 01:40", "2024-04-07 01:50"]


@pytest.mark.parametrize("zone", ["Africa/Cairo", "America/Santiago", "Asia/Beirut"])
def test_where_clocks_change_at_midnight_the_evening_before_comes_twice(zone: str) -> None:
    skipped, repeated = found("0 0,23 * * *", zone, 2024, 2024)
    assert [moment[-5:] for moment in (*skipped, *repeated)] == ["00:00", "23:00"]
    next_day = datetime.fromisoformat(repeated[0]).date() + DAY
    assert found(f"0 23 {next_day.day} {next_day.month} *", zone, 2024, 2024) == ([], [])


def test_havana_skips_midnight_and_repeats_it() -> None:
    assert found("0 0 * * *", "America/Havana", 2024, 2024) == (["2024-03-10 00:00"], ["2024-11-03 00:00"])


def test_a_span_may_begin_on_one_day_and_end_on_the_next() -> None:
    assert found("*/10 * * * *", "Asia/Pyongyang", 2018, 2018) == (
        ["2018-05-04 23:30", "2018-05-04 23:40", "2018-05-04 23:50"],
        [],
    )
    skipped, _ = found("0 */6 * * *", "Pacific/Kwajalein", 1993, 1993)
    assert skipped == ["1993-08-21 00:00", "1993-08-21 06:00", "1993-08-21 12:00", "1993-08-21 18:00"]
    _, repeated = found("0 */2 * * *", "America/Inuvik", 1953, 1953)
    assert repeated == ["1952-12-31 16:00", "1952-12-31 18:00", "1952-12-31 20:00", "1952-12-31 22:00"]


def test_where_clocks_change_around_ramadan_the_fold_comes_before_the_gap() -> None:
    assert found("30 2 * * *", "Africa/Casablanca", 2024, 2024) == (["2024-04-14 02:30"], ["2024-03-10 02:30"])


def test_seconds_of_an_offset_count() -> None:
    skipped, _ = found("* * * * *", "Africa/Monrovia", 1972, 1972)
    assert (skipped[0], skipped[-1], len(skipped)) == ("1972-01-07 00:00", "1972-01-07 00:44", 45)


def test_month_day_of_month_and_day_of_week_must_all_match() -> None:
    # Clocks go forward on the second Sunday of March: on the 8th in these years only.
    assert found("30 2 8 3 0", "America/New_York", 2020, 2037) == (
        ["2020-03-08 02:30", "2026-03-08 02:30", "2037-03-08 02:30"],
        [],
    )
    assert found("30 2 8 3 1", "America/New_York", 2020, 2037) == ([], [])
    assert found("30 2 8 4 0", "America/New_York", 2020, 2037) == ([], [])
    assert found("30 2 9 3 0", "America/New_York", 2026, 2026) == ([], [])


def test_only_changes_that_touch_the_schedule_are_returned() -> None:
    (only,) = disturbances(crontab.from_string("30 2 * * *"), "America/New_York", first=2026, last=2026)
    assert only == Disturbance(
        zone="America/New_York",
        transition=Transition(at=datetime(2026, 3, 8, 7, tzinfo=UTC), before=-5 * HOUR, after=-4 * HOUR),
        skipped=(datetime(2026, 3, 8, 2, 30),),  # noqa: DTZ001 - a time that has no offset
        repeated=(),
    )


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("America/NewYork", "did you mean 'America/New_York'?"),
        ("Kolkata", "did you mean 'Asia/Kolkata'?"),
        ("Asia", "did you mean 'Asia/"),  # a folder
        ("../zone", "use an IANA name like Asia/Kolkata"),
        ("", "use an IANA name like Asia/Kolkata"),
    ],
)
def test_an_unknown_zone_is_an_error_that_names_the_nearest(zone: str, hint: str) -> None:
    with pytest.raises(DeclarationError) as raised:
        transitions(zone)
    assert str(raised.value).startswith(f"There is no time zone {zone!r}; {hint}")
    with pytest.raises(DeclarationError):
        disturbances(crontab.from_string("30 2 * * *"), zone)


@pytest.mark.parametrize(
    ("schedule", "zone", "first", "last", "expected"),
    [
        ("30 2 * * *", "UTC", 2026, 2037, "skips and repeats nothing"),
        ("30 2 * * *", "America/New_York", 2024, 2024, "skips 02:30 on 2024-03-10"),
        ("30 1 * * *", "America/New_York", 2023, 2024, "repeats 01:30 on 2023-11-05 and 2024-11-03"),
        ("30 2 * * *", "America/New_York", 2022, 2024, "skips 02:30 on 2022-03-13 and 2 more days until 2024-03-10"),
        (
            "0,30 * * * *",
            "America/New_York",
            2024,
            2024,
            "skips 02:00 and 02:30 on 2024-03-10, repeats 01:00 and 01:30 on 2024-11-03",
        ),
        (
            "*/15 2 * * *",
            "America/New_York",
            2024,
            2024,
            "skips 02:00, 02:15, 02:30 and 02:45 on 2024-03-10",
        ),
        ("*/12 2 * * *", "America/New_York", 2024, 2024, "skips 02:00 to 02:48 (5 times) on 2024-03-10"),
        # The rule was changed in between.
        (
            "0 0,2 * * *",
            "Asia/Gaza",
            2021,
            2023,
            "skips 00:00 on 2021-03-27 and 2022-03-27, 02:00 on 2023-04-29, repeats 00:00 on 2021-10-29",
        ),
    ],
)
def test_it_is_told_in_one_line(schedule: str, zone: str, first: int, last: int, expected: str) -> None:
    assert words(schedule, zone, first, last) == expected
