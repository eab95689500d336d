"""Which tickets escalate, when, and what is written down."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.helpdesk import services
from apps.helpdesk.models import EscalationRule, Ticket

from .desk import DAY, HOUR, MINUTE, MONDAY, Desk, escalations, level_of


def test_a_ticket_escalates_when_the_rules_time_has_passed_and_not_before(desk: Desk, sweep) -> None:
    desk.rule(value=90, unit="MINUTE")
    ticket = desk.ticket()
    assert sweep(MONDAY + 90 * MINUTE - timedelta(microseconds=1)) == {}
    assert sweep(MONDAY + 90 * MINUTE) == {"found": 1, "escalated": 1, "at_top": 1}
    assert level_of(ticket) == 1


@pytest.mark.parametrize(("unit", "time"), [("MINUTE", MINUTE), ("HOUR", HOUR), ("DAY", DAY), ("WEEK", 7 * DAY)])
def test_every_unit_is_as_long_as_its_name_says(desk: Desk, sweep, unit: str, time: timedelta) -> None:
    desk.rule(value=3, unit=unit)
    desk.ticket()
    assert sweep(MONDAY + 3 * time - MINUTE) == {}
    assert sweep(MONDAY + 3 * time)["escalated"] == 1


def test_an_escalation_assigns_and_is_written_down_once(desk: Desk, sweep) -> None:
    rule = desk.rule(assign_person=desk.lead)
    ticket = desk.ticket()
    sweep(MONDAY + HOUR)
    ticket.refresh_from_db()
    assert (ticket.level, ticket.last_escalated_at, ticket.assignee_person) == (1, MONDAY + HOUR, desk.lead)
    (change,) = escalations(ticket)
    assert (change.at, change.who, change.rule, change.cycle) == (MONDAY + HOUR, "system", rule, 1)
    assert (change.from_level, change.to_level) == (0, 1)
    assert (change.from_person, change.to_person) == (desk.guard, desk.lead)


def test_a_rule_can_hand_a_persons_ticket_to_a_group(desk: Desk, sweep) -> None:
    group = desk.add_group(desk.lead)
    desk.rule(assign_group=group)
    ticket = desk.ticket()
    sweep(MONDAY + HOUR)
    ticket.refresh_from_db()
    assert (ticket.assignee_person, ticket.assignee_group) == (None, group)


def test_a_rule_that_names_nobody_leaves_the_assignee(desk: Desk, sweep) -> None:
    desk.rule()
    ticket = desk.ticket()
    sweep(MONDAY + HOUR)
    ticket.refresh_from_db()
    assert ticket.assignee_person == desk.guard


def test_the_next_level_counts_from_the_last_escalation(desk: Desk, sweep) -> None:
    desk.rule(level=1, value=1)
    desk.rule(level=2, value=2)
    ticket = desk.ticket()
    sweep(MONDAY + 5 * HOUR)
    assert sweep(MONDAY + 7 * HOUR - MINUTE) == {}
    assert sweep(MONDAY + 7 * HOUR)["escalated"] == 1
    assert level_of(ticket) == 2


def test_running_twice_at_the_same_instant_changes_nothing_more(desk: Desk, sweep) -> None:
    for level in (1, 2, 3):
        desk.rule(level=level, value=1, unit="MINUTE")
    ticket = desk.ticket()
    sweep(MONDAY + DAY)
    assert sweep(MONDAY + DAY) == {}
    assert level_of(ticket) == len(escalations(ticket)) == 1


def test_after_an_outage_of_a_week_each_run_takes_one_level(desk: Desk, sweep) -> None:
    for level in (1, 2, 3):
        desk.rule(level=level, value=10, unit="MINUTE")
    ticket = desk.ticket()
    back_up = MONDAY + 7 * DAY
    levels = []
    for run in range(5):
        sweep(back_up + run * 30 * MINUTE)
        levels.append(level_of(ticket))
    assert levels == [1, 2, 3, 3, 3]
    assert [change.to_level for change in escalations(ticket)] == [1, 2, 3]


def test_a_rule_of_the_site_beats_one_of_the_tenant(desk: Desk, sweep) -> None:
    desk.rule(value=1)
    desk.rule(value=3, site=desk.site, assign_person=desk.lead)
    here, elsewhere = desk.ticket(), desk.ticket(site_id=desk.add_site("S2").pk)
    sweep(MONDAY + HOUR)
    assert (level_of(here), level_of(elsewhere)) == (0, 1)
    sweep(MONDAY + 3 * HOUR)
    here.refresh_from_db()
    assert (here.level, here.assignee_person) == (1, desk.lead)


def test_a_rule_that_is_off_never_escalates_and_hides_the_tenants(desk: Desk, sweep) -> None:
    desk.rule(value=1)
    desk.rule(value=0, site=desk.site)
    ticket = desk.ticket()
    assert sweep(MONDAY + 30 * DAY) == {"at_top": 1}
    assert level_of(ticket) == 0


def test_rules_of_another_category_site_or_tenant_do_not_apply(desk: Desk, sweep) -> None:
    other = Desk("other")
    desk.rule(category="Lift")
    desk.rule(site=desk.add_site("S2"))
    other.rule()
    desk.ticket()
    assert sweep(MONDAY + DAY) == {}


def test_there_is_one_rule_per_tenant_site_category_and_level_also_without_a_site(desk: Desk) -> None:
    desk.rule()
    with pytest.raises(IntegrityError, match="one_rule_per_level"), transaction.atomic():
        desk.rule(value=5)
    desk.rule(site=desk.site)
    assert EscalationRule.objects.count() == 2


def test_a_level_without_a_rule_is_not_jumped_over(desk: Desk, sweep) -> None:
    desk.rule(level=2)
    ticket = desk.ticket()
    assert sweep(MONDAY + DAY) == {"at_top": 1}
    assert level_of(ticket) == 0


@pytest.mark.parametrize("actions", [["HOLD"], ["RESOLVE"], ["RESOLVE", "CLOSE"], ["CANCEL"]])
def test_tickets_that_nobody_waits_for_never_escalate(desk: Desk, sweep, actions: list[str]) -> None:
    desk.rule()
    ticket = desk.ticket()
    for action in actions:
        desk.change(ticket, action, MONDAY)
    assert sweep(MONDAY + 30 * DAY) == {}
    assert level_of(ticket) == 0


def test_an_open_ticket_escalates_like_a_new_one(desk: Desk, sweep) -> None:
    desk.rule()
    ticket = desk.ticket()
    desk.change(ticket, "OPEN", MONDAY + 30 * MINUTE)
    assert sweep(MONDAY + HOUR)["escalated"] == 1


def test_tickets_of_an_inactive_tenant_are_left_alone(desk: Desk, sweep) -> None:
    desk.rule()
    desk.ticket()
    desk.tenant.is_active = False
    desk.tenant.save()
    assert sweep(MONDAY + DAY) == {}


def test_a_reopened_ticket_starts_a_new_cycle_at_level_0(desk: Desk, sweep) -> None:
    desk.rule()
    ticket = desk.ticket()
    sweep(MONDAY + HOUR)
    desk.change(ticket, "RESOLVE", MONDAY + 2 * HOUR)
    desk.change(ticket, "REOPEN", MONDAY + DAY)
    ticket.refresh_from_db()
    assert (ticket.level, ticket.cycle, ticket.last_escalated_at) == (0, 2, None)
    assert sweep(MONDAY + DAY + HOUR - MINUTE) == {}
    assert sweep(MONDAY + DAY + HOUR)["escalated"] == 1
    assert [(change.cycle, change.to_level) for change in escalations(ticket)] == [(1, 1), (2, 1)]


def test_a_ticket_without_a_further_rule_is_counted_and_one_without_any_rule_is_not(desk: Desk, sweep) -> None:
    desk.rule()
    desk.ticket()
    desk.ticket(category="Lift")
    assert sweep(MONDAY) == {}
    assert sweep(MONDAY + HOUR) == {"found": 1, "escalated": 1, "at_top": 1}
    assert sweep(MONDAY + DAY) == {"at_top": 1}


def test_a_reopening_later_than_the_firing_instant_is_not_overlooked(desk: Desk, sweep) -> None:
    desk.rule()
    ticket = desk.ticket()
    desk.change(ticket, "RESOLVE", MONDAY + 2 * HOUR)
    desk.change(ticket, "REOPEN", MONDAY + 2 * HOUR + MINUTE)
    assert sweep(MONDAY + 2 * HOUR) == {}


def test_the_next_escalation_is_what_a_raised_system_ticket_is_told_with(desk: Desk) -> None:
    desk.rule(value=4)
    raised = services.raise_system_ticket(
        tenant_id=desk.tenant.pk,
        site_id=desk.site.pk,
        asset_id=None,
        category="Door",
        priority="HIGH",
        description="Patrol was not done.",
        assignee_person_id=None,
        assignee_group_id=desk.add_group().pk,
        now=MONDAY,
    )
    assert raised.next_escalation == MONDAY + 4 * HOUR
    assert Ticket.objects.get(pk=raised.id).source == "SYSTEM"
