from dataclasses import replace
from datetime import timedelta

import pytest
from celery.schedules import crontab

from apps.core.schedules import Every, every
from apps.core.schedules.pattern_of import pattern_of
from apps.core.schedules.patterns import NEVER
from apps.core.schedules.timetable import Line
from apps.core.timetable.words import in_words, listed, shown, span


def line_of(when: str | Every, zone: str = "UTC") -> Line:
    schedule = crontab.from_string(when) if isinstance(when, str) else when
    cron = schedule if isinstance(schedule, crontab) else None
    return Line(name="one", task="one", words=str(when), pattern=pattern_of(schedule), cron=cron, zone=zone)


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("* * * * *", "every minute"),
        ("12,42 * * * *", "every 30 min at :12 and :42"),
        ("5,20,35,50 * * * *", "every 15 min from :05"),
        ("20 * * * *", "hourly at :20"),
        ("3,10 * * * *", "hourly at :03 and :10"),
        ("3 2 * * *", "daily 02:03"),
        ("3 3,16 * * *", "daily 03:03 and 16:03"),
        ("5 0,8,16 * * *", "daily 00:05, 08:05 and 16:05"),
        ("15 1-23/2 * * *", "every 2 h from 01:15"),
        ("0 0 * * 1", "Mondays 00:00"),
        ("0 4 * * 1,4", "Mondays and Thursdays 04:00"),
        ("30 6 * * 1-5", "Mondays to Fridays 06:30"),
        ("0 9 * * 6,0", "Saturdays and Sundays 09:00"),
        ("*/27 * * * *", "hourly at :00, :27 and :54"),
        ("*/15 * * * 1-5", "*/15 * * * 1-5"),
        ("0 0 1 * *", "0 0 1 * *"),
        ("0 6 1 1 1", "0 6 1 1 1"),
        (every(minutes=27, offset=4), "every 27 min"),
        (every(minutes=90, offset=5), "every 90 min from 00:05"),
        (every(minutes=420), "every 7 h"),
        (every(minutes=2880, offset=180), "every 2 d at 03:00"),
        (every(minutes=1501), "every 1 d 1 h 1 min"),
    ],
)
def test_an_entry_is_due_in_words(when: str | Every, told: str) -> None:
    assert in_words(line_of(when)) == told


def test_a_zone_other_than_utc_is_named() -> None:
    assert in_words(line_of("3 2 * * *", zone="Asia/Kolkata")) == "daily 02:03 Asia/Kolkata"
    assert in_words(line_of("0 0 1 * *", zone="Asia/Kolkata")) == "0 0 1 * * Asia/Kolkata"


def test_an_interval_that_floats_counts_from_the_start_of_beat() -> None:
    floating = Line(
        name="one", task="one", words="every 600 s", pattern=None, interval=timedelta(minutes=10), floating=True
    )
    assert in_words(floating) == "every 10 min from beat's start"
    assert in_words(replace(floating, interval=timedelta(seconds=90), floating=False)) == "every 90 s"


def test_what_cannot_be_told_is_as_it_was_written() -> None:
    assert in_words(Line(name="one", task="one", words="<solar: sunset>", pattern=None)) == "<solar: sunset>"
    assert in_words(Line(name="one", task="one", words="0 0 31 2 *", pattern=NEVER)) == "0 0 31 2 * (never)"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (0.44, "0.4 s"),
        (0.01, "0.0 s"),
        (9.96, "10.0 s"),
        (45, "45 s"),
        (48.4, "48 s"),
        (60, "1 min"),
        (95, "95 s"),
        (410, "6 min 50 s"),
        (900, "15 min"),
        (5400, "90 min"),
        (9000, "2 h 30 min"),
        (90_000, "25 h"),
        (3 * 86_400, "3 d"),
        (4387 * 60, "3 d 1 h 7 min"),
        (400 * 86_400, "400 d"),
    ],
)
def test_a_span_of_time_is_short_and_exact(seconds: float, told: str) -> None:
    assert span(seconds) == told


def test_lists_end_in_and() -> None:
    assert [listed(list("abcd"[:count])) for count in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert listed(list("abcd"), most=3) == "a, b and 2 more"
    assert listed(list("abcd"), most=4) == "a, b, c and d"


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert shown("a\x1b[31m\n\t\u202eb") == r"a\x1b[31m\n\t\u202eb"
    assert shown("a [bold]name[/bold], 日本") == "a [bold]name[/bold], 日本"
    assert shown("שלום") == "שלום\u200e"
