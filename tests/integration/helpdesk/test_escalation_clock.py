"""The clock of a ticket: holds, business hours, weekends, holidays, changes of the clocks."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.helpdesk.agreement import next_escalation
from apps.helpdesk.models import SlaPolicy, Ticket
from apps.organization.models import Holiday

from .desk import DAY, HOUR, MINUTE, MONDAY, Desk, level_of


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due_in_run_at(sweep, instant: datetime) -> None:
    """The one due ticket escalates in a run at `instant`, and in none before."""
    assert "escalated" not in sweep(instant - MINUTE)
    assert sweep(instant)["escalated"] == 1


def test_several_holds_are_all_subtracted(desk: Desk, sweep) -> None:
    desk.rule(value=2)
    ticket = desk.ticket()
    for begin, end in ((10, 40), (50, 51), (100, 160)):
        desk.change(ticket, "HOLD", MONDAY + begin * MINUTE)
        desk.change(ticket, "RESUME", MONDAY + end * MINUTE)
    ticket.refresh_from_db()
    assert ticket.held_for == 91 * MINUTE
    due_in_run_at(sweep, MONDAY + 2 * HOUR + 91 * MINUTE)


def test_a_hold_before_an_escalation_is_not_subtracted_from_the_time_after_it(desk: Desk, sweep) -> None:
    desk.rule(level=1)
    desk.rule(level=2)
    ticket = desk.ticket()
    desk.change(ticket, "HOLD", MONDAY)
    desk.change(ticket, "RESUME", MONDAY + HOUR)
    sweep(MONDAY + 2 * HOUR)
    ticket.refresh_from_db()
    assert (ticket.level, ticket.held_for) == (1, timedelta())
    due_in_run_at(sweep, MONDAY + 3 * HOUR)


def test_a_hold_later_than_the_firing_instant_counts_for_the_next_level(desk: Desk, sweep) -> None:
    desk.rule(level=1)
    desk.rule(level=2)
    ticket = desk.ticket()
    firing = MONDAY + HOUR
    desk.change(ticket, "HOLD", firing + MINUTE)
    desk.change(ticket, "RESUME", firing + 6 * MINUTE)
    sweep(firing)  # a late worker: it comes to the ticket after the hold
    ticket.refresh_from_db()
    assert (ticket.level, ticket.held_for) == (1, 5 * MINUTE)
    due_in_run_at(sweep, firing + HOUR + 5 * MINUTE)


def test_a_reopened_ticket_forgets_earlier_holds(desk: Desk, sweep) -> None:
    desk.rule()
    ticket = desk.ticket()
    desk.change(ticket, "HOLD", MONDAY)
    desk.change(ticket, "RESOLVE", MONDAY + DAY)
    desk.change(ticket, "REOPEN", MONDAY + DAY)
    due_in_run_at(sweep, MONDAY + DAY + HOUR)


def test_with_a_policy_only_business_time_counts_in_the_sites_zone(desk: Desk, sweep) -> None:
    desk.rule(value=4)
    desk.policy(opens_at=time(9), closes_at=time(18))
    ticket = desk.ticket(at=MONDAY)  # 17:30 in Kolkata: half an hour today, the rest from 09:00 tomorrow
    expected = utc("2026-11-24T07:00")
    assert next_escalation(ticket.pk) == expected
    due_in_run_at(sweep, expected)


def test_a_weekend_does_not_count(desk: Desk, sweep) -> None:
    desk.rule(value=1)
    desk.policy()
    desk.ticket(at=utc("2026-11-20T11:00"))  # Friday 16:30 in Kolkata
    due_in_run_at(sweep, utc("2026-11-23T04:00"))


def test_holidays_of_tenant_and_site_also_yearly_ones_do_not_count(desk: Desk, sweep) -> None:
    desk.rule(value=1)
    desk.policy()
    elsewhere = desk.add_site("S2")
    free = {"tenant": desk.tenant}
    Holiday.objects.create(date=date(2026, 11, 24), **free)
    Holiday.objects.create(date=date(2026, 11, 25), site=desk.site, **free)
    Holiday.objects.create(date=date(2019, 11, 26), recurring=True, **free)
    Holiday.objects.create(date=date(2026, 11, 27), site=elsewhere, **free)
    Holiday.objects.create(date=date(2026, 11, 27), tenant=Desk("other").tenant)
    desk.ticket(at=MONDAY)
    due_in_run_at(sweep, utc("2026-11-27T04:30"))  # Friday 10:00 in Kolkata


def test_a_policy_may_count_holidays(desk: Desk, sweep) -> None:
    desk.rule(value=1)
    desk.policy(skip_holidays=False)
    Holiday.objects.create(tenant=desk.tenant, date=date(2026, 11, 24))
    desk.ticket(at=MONDAY)
    due_in_run_at(sweep, utc("2026-11-24T04:30"))


@pytest.mark.parametrize("fields", [{"is_active": False}, {"priority": "LOW"}])
def test_without_an_active_policy_for_the_priority_all_time_counts(desk: Desk, sweep, fields) -> None:
    desk.rule(value=4)
    desk.policy(**fields)
    desk.ticket(at=MONDAY)
    due_in_run_at(sweep, MONDAY + 4 * HOUR)


def test_a_hold_over_a_night_takes_away_no_business_time_of_that_night(desk: Desk, sweep) -> None:
    desk.rule(value=2)
    desk.policy()
    ticket = desk.ticket(at=utc("2026-11-23T10:30"))  # 16:00: one hour today
    desk.change(ticket, "HOLD", utc("2026-11-23T11:00"))  # 16:30
    desk.change(ticket, "RESUME", utc("2026-11-24T04:00"))  # 09:30
    due_in_run_at(sweep, utc("2026-11-24T05:30"))  # half an hour on Monday, an hour and a half from 09:30


def test_a_policy_that_is_switched_on_later_applies_to_earlier_holds_too(desk: Desk, sweep) -> None:
    desk.rule(value=8)
    ticket = desk.ticket(at=utc("2026-11-20T10:30"))  # Friday 16:00
    desk.change(ticket, "HOLD", utc("2026-11-21T00:00"))
    desk.change(ticket, "RESUME", utc("2026-11-22T12:00"))  # a hold on the weekend
    desk.policy()
    due_in_run_at(sweep, utc("2026-11-23T10:30"))  # one hour on Friday, seven on Monday


@pytest.mark.parametrize(
    ("raised", "due"),
    [
        ("2026-03-07T22:00", "2026-03-08T16:00"),  # the clocks go forward on the 8th: 08:00 EST + 18 h = 12:00 EDT
        ("2026-10-31T22:00", "2026-11-01T16:00"),  # and back on the 1st
    ],
)
def test_wall_clock_time_is_real_time_on_a_day_when_the_clocks_change(sweep, db, raised: str, due: str) -> None:
    desk = Desk("york", zone="America/New_York")
    desk.rule(value=18)
    desk.ticket(at=utc(raised))
    due_in_run_at(sweep, utc(due))


@pytest.mark.parametrize(
    ("raised", "due"),
    [
        ("2026-03-08T05:30", "2026-03-08T13:30"),  # 00:30 EST; 3:00 follows 1:59, so 8 h later it is 09:30 EDT
        ("2026-11-01T04:30", "2026-11-01T12:30"),  # 00:30 EDT; 1:00 comes twice, so 8 h later it is 07:30 EST
    ],
)
def test_business_hours_contain_the_real_hours_of_a_day_when_the_clocks_change(
    sweep, db, raised: str, due: str
) -> None:
    desk = Desk("york", zone="America/New_York")
    desk.rule(value=8)
    desk.policy(opens_at=time(0), closes_at=time(0), weekdays=[1, 2, 3, 4, 5, 6, 7])
    desk.ticket(at=utc(raised))
    due_in_run_at(sweep, utc(due))


def test_opening_hours_stay_local_when_the_clocks_change(db, sweep) -> None:
    desk = Desk("york", zone="America/New_York")
    desk.rule(value=1)
    desk.policy(weekdays=[7])
    desk.ticket(at=utc("2026-10-31T12:00"))
    due_in_run_at(sweep, utc("2026-11-01T15:00"))  # 10:00 EST; the day before it would have been 14:00 UTC


def test_a_policy_without_any_hour_never_lets_a_ticket_escalate(desk: Desk, sweep) -> None:
    desk.rule(value=1)
    desk.policy(opens_at=time(9), closes_at=time(17), weekdays=[1])
    for month in range(1, 13):
        for day in range(1, 29):
            Holiday.objects.create(tenant=desk.tenant, date=date(2024, month, day), recurring=True)
    for text in ("2024-01-29", "2024-01-30", "2024-01-31", "2024-02-29"):
        Holiday.objects.create(tenant=desk.tenant, date=date.fromisoformat(text), recurring=True)
    for month in range(3, 13):
        for day in (29, 30, 31):
            if (month, day) not in {(4, 31), (6, 31), (9, 31), (11, 31)}:
                Holiday.objects.create(tenant=desk.tenant, date=date(2024, month, day), recurring=True)
    ticket = desk.ticket()
    assert next_escalation(ticket.pk) is None
    assert sweep(MONDAY + 700 * DAY) == {"found": 1}
    assert level_of(ticket) == 0


def test_a_policy_needs_a_weekday(desk: Desk) -> None:
    for weekdays in ([], [0], [8]):
        with pytest.raises(IntegrityError, match="policy_weekdays"), transaction.atomic():
            desk.policy(weekdays=weekdays)
    assert not SlaPolicy.objects.exists()


def test_what_is_on_hold_or_at_the_top_has_no_next_escalation(desk: Desk) -> None:
    desk.rule(category="Lift")
    ticket, held = desk.ticket(), desk.ticket(category="Lift")
    desk.change(held, "HOLD", MONDAY)
    assert next_escalation(ticket.pk) is None
    assert next_escalation(held.pk) is None
    assert Ticket.objects.get(pk=held.pk).on_hold_since == MONDAY
