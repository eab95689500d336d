from datetime import timedelta

import pytest
from celery.schedules import crontab
from hypothesis import given
from hypothesis import strategies as st

from apps.core.exceptions import DeclarationError
from apps.core.schedules import Every, every
from apps.core.schedules.candidates import any_offset, daily, moved


def test_an_interval_is_offered_at_each_offset() -> None:
    assert any_offset(minutes=3) == (
        every(minutes=3, offset=0),
        every(minutes=3, offset=1),
        every(minutes=3, offset=2),
    )
    assert len(any_offset(minutes=7 * 1440)) == 7 * 1440


@pytest.mark.parametrize(
    ("minutes", "why"),
    [(0, "1 at least"), (-5, "1 at least"), (2.5, "whole minutes"), (True, "whole minutes"), (10_081, "a week")],
)
def test_what_is_no_interval_is_refused(minutes: int, why: str) -> None:
    with pytest.raises(DeclarationError, match=why):
        any_offset(minutes=minutes)


def test_a_window_has_a_candidate_for_each_minute_both_ends_included() -> None:
    found = daily(between=("02:58", "03:01"))
    assert found == ("58 2 * * *", "59 2 * * *", "0 3 * * *", "1 3 * * *")
    assert len(daily(between=("02:00", "04:59"))) == 180
    assert daily(between=("05:07", "05:07")) == ("7 5 * * *",)
    assert len(daily(between=("00:00", "23:59"))) == 1440


def test_a_window_may_lie_over_midnight() -> None:
    """Ascending by the minute of the day all the same."""
    assert daily(between=("23:58", "00:01")) == ("0 0 * * *", "1 0 * * *", "58 23 * * *", "59 23 * * *")


@pytest.mark.parametrize(
    "between",
    [("2:00", "04:59"), ("02:00", "24:00"), ("02:60", "03:00"), ("02:00", "04:59:00"), ("02:00 ", "03:00"), (2, 4)],
)
def test_what_is_no_time_of_day_is_refused(between: tuple[str, str]) -> None:
    with pytest.raises(DeclarationError, match="HH:MM, not"):
        daily(between=between)


@pytest.mark.parametrize("between", [(), ("02:00",), ("02:00", "03:00", "04:00"), None, 5])
def test_a_window_needs_two_times(between: tuple[str, str]) -> None:
    with pytest.raises(DeclarationError, match="two times of day"):
        daily(between=between)


def test_a_crontab_moves_within_its_hours_and_keeps_the_distances_of_its_minutes() -> None:
    found = moved(crontab.from_string("12,42 * * * *"))
    assert found == tuple(f"{minute},{minute + 30} * * * *" for minute in range(30))
    uneven = moved(crontab.from_string("0,10 * * * *"))
    assert len(uneven) == 60
    assert uneven[:3] == ("0,10 * * * *", "0,50 * * * *", "1,11 * * * *")
    assert moved(crontab.from_string("*/20 * * * *"))[-1] == "19,39,59 * * * *"
    assert moved(crontab.from_string("* 3 * * *")) == ("* 3 * * *",)


@pytest.mark.parametrize(
    ("schedule", "first", "last"),
    [
        (crontab.from_string("3 3,16 * * *"), "0 3,16 * * *", "59 3,16 * * *"),
        (crontab.from_string("5 */8 1-7 jan,jul mon-fri"), "0 */8 1-7 jan,jul mon-fri", "59 */8 1-7 jan,jul mon-fri"),
        (crontab(minute=5, hour=4, day_of_week=[3, 1]), "0 4 * * 1,3", "59 4 * * 1,3"),
        (crontab(minute="5", hour="1, 2"), "0 1,2 * * *", "59 1,2 * * *"),
    ],
)
def test_the_other_fields_stay_as_they_were_given(schedule: crontab, first: str, last: str) -> None:
    found = moved(schedule)
    assert (found[0], found[-1], len(found)) == (first, last, 60)


@given(st.sets(st.integers(0, 59), min_size=1), st.sets(st.integers(0, 23), min_size=1))
def test_a_moved_crontab_is_as_often_due_in_the_same_hours(minutes: set[int], hours: set[int]) -> None:
    found = moved(crontab(minute=list(minutes), hour=list(hours)))
    crons = [crontab.from_string(str(text)) for text in found]
    assert [frozenset(cron.hour) for cron in crons] == [frozenset(hours)] * len(found)  # type: ignore[attr-defined]
    turns = [frozenset(cron.minute) for cron in crons]  # type: ignore[attr-defined]
    assert frozenset(minutes) in turns
    assert len(set(turns)) == len(turns)
    for turn in turns:
        assert any({(minute + step) % 60 for minute in minutes} == turn for step in range(60))
    assert 60 % len(turns) == 0


def test_an_interval_moves_to_any_offset() -> None:
    assert moved(every(minutes=27, offset=4)) == any_offset(minutes=27)
    assert moved(timedelta(hours=8)) == any_offset(minutes=480)
    assert moved(timedelta(minutes=1)) == (Every(minutes=1),)


@pytest.mark.parametrize("seconds", [30, 90, 60.5])
def test_an_interval_that_is_not_of_whole_minutes_has_nothing_to_move(seconds: float) -> None:
    with pytest.raises(DeclarationError, match="whole minutes"):
        moved(timedelta(seconds=seconds))


def test_a_crontab_that_is_never_due_is_refused() -> None:
    for schedule in (crontab(minute=[]), crontab(day_of_week=[])):
        with pytest.raises(DeclarationError, match="never due"):
            moved(schedule)
