"""Which occurrences a template has: validity, what has been made, tours, reminders, holidays, changes."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from apps.operations.holidays import Holidays
from apps.operations.occurrences import TooManyOccurrencesError, plan

from .templates import planned, stop, template, utc

MONDAY = "2026-11-23"
DAILY = {"cron": "0 9 * * *"}  # London, so 09:00 UTC in winter


def minutes(number):
    return timedelta(minutes=number)


def test_it_is_planned_from_now_inclusive_to_the_horizon_exclusive():
    days = planned("2026-11-23 09:00", "2026-11-25 09:00", **DAILY)
    assert days == ["2026-11-23 09:00", "2026-11-24 09:00"]


def test_it_begins_when_it_is_valid_and_ends_before_it_is_not():
    days = planned(
        MONDAY, "2026-12-23", valid_from=utc("2026-11-24 09:00"), valid_until=utc("2026-11-26 09:00"), **DAILY
    )
    assert days == ["2026-11-24 09:00", "2026-11-25 09:00"]


def test_what_has_been_made_is_not_made_again():
    made = replace(template(**DAILY), last_generated_until=utc("2026-11-25 09:00"))
    made = replace(made, planned_as=made.fingerprint)
    plans = plan(made, now=utc(MONDAY), horizon=utc("2026-11-27"))
    assert [one.planned_at for one in plans] == [utc("2026-11-25 09:00"), utc("2026-11-26 09:00")]


def test_runs_one_after_the_other_leave_no_gap_and_no_overlap():
    made, seen = template(cron="*/7 * * * *"), []
    for hour in range(24):
        made = replace(made, planned_as=made.fingerprint)
        horizon = utc(MONDAY) + timedelta(hours=hour + 1)
        seen += [one.planned_at for one in plan(made, now=utc(MONDAY), horizon=horizon)]
        made = replace(made, last_generated_until=horizon)
    assert seen == [one.planned_at for one in plan(template(cron="*/7 * * * *"), now=utc(MONDAY), horizon=horizon)]


def test_a_template_that_has_changed_is_planned_from_now_again():
    made = replace(template(**DAILY), last_generated_until=utc("2026-12-01"), planned_as="what it was before")
    assert len(plan(made, now=utc(MONDAY), horizon=utc("2026-11-26"))) == 3


def test_one_that_is_not_in_use_has_none():
    assert planned(MONDAY, "2026-12-23", is_in_use=False) == []


def test_it_expires_when_its_time_is_over_and_is_reminded_of_before():
    [one] = plan(template(remind_minutes=45), now=utc(MONDAY), horizon=utc("2026-11-24"))
    assert one.expires_at == utc("2026-11-23 10:30")
    assert one.remind_at == utc("2026-11-23 08:15")


def test_without_a_notice_there_is_no_reminder():
    [one] = plan(template(remind_minutes=0), now=utc(MONDAY), horizon=utc("2026-11-24"))
    assert one.remind_at is None


def test_checkpoints_follow_each_other_and_the_tour_expires_with_the_last_of_them():
    tour = template(stops=(stop(11, plan_minutes=10), stop(12, plan_minutes=25), stop(13, allowed=40)))
    [one] = plan(tour, now=utc(MONDAY), horizon=utc("2026-11-24"))
    assert [(each.job_id, each.planned_at, each.expires_at) for each in one.checkpoints] == [
        (11, utc("2026-11-23 09:00"), utc("2026-11-23 09:30")),
        (12, utc("2026-11-23 09:10"), utc("2026-11-23 09:40")),
        (13, utc("2026-11-23 09:35"), utc("2026-11-23 10:15")),
    ]
    assert one.expires_at == utc("2026-11-23 10:15")


def test_the_last_to_expire_need_not_be_the_last_to_be_visited():
    tour = template(stops=(stop(11, allowed=300), stop(12, allowed=30)))
    [one] = plan(tour, now=utc(MONDAY), horizon=utc("2026-11-24"))
    assert one.expires_at == utc("2026-11-23 14:00")


def test_checkpoints_are_real_minutes_apart_also_while_the_clocks_change():
    tour = template(cron="30 0 29 3 *", stops=(stop(11, plan_minutes=60), stop(12)))
    [one] = plan(tour, now=utc("2026-03-28"), horizon=utc("2026-03-30"))
    assert [each.planned_at for each in one.checkpoints] == [utc("2026-03-29 00:30"), utc("2026-03-29 01:30")]


# Thursday 24 December to Monday 4 January; 25 and 26 are holidays, 1 January comes every year, 4 is one, too.
HOLIDAYS = Holidays(once=frozenset({date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 4)}), yearly={(1, 1)})
NEW_YEAR = ("2026-12-24", "2027-01-07")


@pytest.mark.parametrize(
    ("policy", "days"),
    [
        ("KEEP", ["12-24", "12-25", "12-27", "12-29", "12-31", "01-01", "01-03", "01-05"]),
        ("SKIP", ["12-24", "12-27", "12-29", "12-31", "01-03", "01-05"]),
        ("NEXT_WORKDAY", ["12-24", "12-27", "12-28", "12-29", "12-31", "01-03", "01-05"]),
    ],
)
def test_the_policy_says_what_becomes_of_work_on_a_holiday(policy, days):
    # The 25th, a Friday and a holiday, moves to Monday the 28th, over a Saturday that is one, too, and a Sunday.
    # 1 January moves over the weekend and over Monday the 4th to the 5th, where the template is due anyway: one.
    found = planned(*NEW_YEAR, cron="0 9 24,25,27,29,31,1,3,5 * *", holiday_policy=policy, holidays=HOLIDAYS)
    assert [day[5:10] for day in found] == days
    assert all(day.endswith("09:00") for day in found)


def test_two_occurrences_that_move_to_the_same_instant_are_one():
    found = planned(*NEW_YEAR, cron="0 9 25,26 * *", holiday_policy="NEXT_WORKDAY", holidays=HOLIDAYS)
    assert found == ["2026-12-28 09:00"]


def test_work_on_a_weekend_that_is_no_holiday_stays():
    found = planned("2026-11-27", "2026-11-30", cron="0 9 * * 6", holiday_policy="NEXT_WORKDAY", holidays=HOLIDAYS)
    assert found == ["2026-11-28 09:00"]


def test_a_move_over_the_end_of_what_was_made_is_neither_lost_nor_doubled():
    moving = {"cron": "0 9 25 * *", "holiday_policy": "NEXT_WORKDAY", "holidays": HOLIDAYS}
    assert planned("2026-12-24", "2026-12-27", **moving) == []
    assert planned("2026-12-27", "2026-12-30", **moving) == ["2026-12-28 09:00"]
    made = template(**moving)
    made = replace(made, last_generated_until=utc("2026-12-29"), planned_as=made.fingerprint)
    assert plan(made, now=utc("2026-12-27"), horizon=utc("2026-12-31")) == ()


def test_what_moves_was_valid_in_its_own_time_and_is_in_its_new_one():
    moving = {"cron": "0 9 25 * *", "holiday_policy": "NEXT_WORKDAY", "holidays": HOLIDAYS}
    assert planned("2026-12-24", "2026-12-30", valid_from=utc("2026-12-26"), **moving) == []
    assert planned("2026-12-24", "2026-12-30", valid_until=utc("2026-12-28"), **moving) == []


def test_a_moved_time_keeps_its_place_on_the_clock_when_the_clocks_change():
    # Good Friday 2026 stands in for a holiday on the day before the clocks go forward.
    holidays = Holidays(once=frozenset({date(2026, 3, 27)}))
    found = planned("2026-03-26", "2026-04-01", cron="0 9 27 3 *", holiday_policy="NEXT_WORKDAY", holidays=holidays)
    assert found == ["2026-03-30 08:00"]


def test_work_that_would_have_to_wait_for_over_a_month_is_left_out():
    closed = frozenset(date(2026, 12, 1) + timedelta(days=day) for day in range(60))
    moving = {"holiday_policy": "NEXT_WORKDAY", "holidays": Holidays(once=closed)}
    assert planned("2026-12-01", "2027-02-10", cron="0 9 1 12 *", **moving) == []


def test_a_template_that_is_due_too_often_is_an_error():
    with pytest.raises(TooManyOccurrencesError, match="too often"):
        planned("2026-11-01", "2026-12-01", cron="* * * * *")


@pytest.mark.parametrize(
    "change",
    [
        {"cron": "0 10 * * 1"},
        {"kind": "PPM"},
        {"timezone": "Europe/Paris"},
        {"valid_from": utc("2026-01-01")},
        {"valid_until": utc("2027-01-01")},
        {"time_allowed": minutes(91)},
        {"remind_minutes": 5},
        {"content": ("another asset",)},
        {"stops": (stop(11),)},
        {"stops": (stop(12), stop(11))},
        {"stops": (stop(11, plan_minutes=11), stop(12))},
        {"holiday_policy": "SKIP"},
        {"is_in_use": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_anything_that_occurrences_are_made_of_is_seen(change):
    before = template(stops=(stop(11), stop(12)), last_generated_until=utc("2026-12-01"))
    before = replace(before, planned_as=before.fingerprint)
    assert not before.has_changed
    assert replace(before, **change).has_changed


def test_holidays_count_where_the_policy_looks_at_them():
    new = Holidays(once=frozenset({date(2026, 12, 24)}))
    for policy, differs in (("KEEP", False), ("SKIP", True), ("NEXT_WORKDAY", True)):
        before = template(holiday_policy=policy)
        assert (before.fingerprint != replace(before, holidays=new).fingerprint) is differs


def test_the_fingerprint_is_the_same_in_every_process():
    holidays = Holidays(once=frozenset(date(2026, 1, day) for day in range(1, 30)))
    one, other = (template(holiday_policy="SKIP", holidays=each) for each in (holidays, Holidays(once=holidays.once)))
    assert one.fingerprint == other.fingerprint
    assert "frozenset" not in repr(one._holiday_facts())
