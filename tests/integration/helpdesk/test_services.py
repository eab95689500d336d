"""Raising tickets and changing them."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.models import OutboxMessage
from apps.helpdesk import services
from apps.helpdesk.models import Ticket, TicketHistory
from apps.helpdesk.transitions import Action, IllegalTransition
from apps.organization.models import Asset

from .desk import HOUR, MINUTE, MONDAY, Desk


def history(ticket: Ticket) -> list[tuple[str, str]]:
    return list(TicketHistory.objects.filter(ticket=ticket).order_by("pk").values_list("action", "status"))


def raise_system_ticket(desk: Desk) -> services.RaisedTicket:
    return services.raise_system_ticket(
        tenant_id=desk.tenant.pk,
        site_id=desk.site.pk,
        asset_id=None,
        category="Door",
        priority="HIGH",
        description="Patrol was not done.",
        assignee_person_id=desk.guard.pk,
        assignee_group_id=None,
        now=MONDAY,
    )


def test_numbers_go_up_by_one_for_each_tenant(desk: Desk) -> None:
    other = Desk("other")
    numbers = [desk.ticket().number, desk.ticket().number, other.ticket().number, desk.ticket().number]
    assert numbers == ["T-000001", "T-000002", "T-000001", "T-000003"]


def test_numbers_can_be_taken_in_bulk(desk: Desk) -> None:
    desk.ticket()
    assert [ticket.number for ticket in desk.many_tickets(2)] == ["T-000002", "T-000003"]
    assert desk.ticket().number == "T-000004"


def test_a_refused_ticket_leaves_no_gap(desk: Desk) -> None:
    desk.ticket()
    with pytest.raises(ValidationError):
        desk.ticket(description="")
    assert desk.ticket().number == "T-000002"


def test_a_raised_ticket_is_new_and_written_down(desk: Desk) -> None:
    ticket = desk.ticket()
    assert (ticket.status, ticket.level, ticket.cycle, ticket.source) == ("NEW", 0, 1, "USER")
    assert (ticket.created_at, ticket.cycle_started_at) == (MONDAY, MONDAY)
    assert history(ticket) == [("RAISE", "NEW")]


def test_a_life_is_written_down_step_by_step(desk: Desk) -> None:
    ticket = desk.ticket()
    for minute, action in enumerate(("OPEN", "HOLD", "RESUME", "RESOLVE", "CLOSE", "REOPEN", "CANCEL")):
        desk.change(ticket, action, MONDAY + minute * MINUTE)
    assert history(ticket) == [
        ("RAISE", "NEW"),
        ("OPEN", "OPEN"),
        ("HOLD", "ON_HOLD"),
        ("RESUME", "OPEN"),
        ("RESOLVE", "RESOLVED"),
        ("CLOSE", "CLOSED"),
        ("REOPEN", "OPEN"),
        ("CANCEL", "CANCELLED"),
    ]
    resumed = TicketHistory.objects.get(action="RESUME")
    assert (resumed.held_from, resumed.at, resumed.who) == (MONDAY + MINUTE, MONDAY + 2 * MINUTE, "Asha")


def test_an_illegal_change_writes_nothing(desk: Desk) -> None:
    ticket = desk.ticket()
    with pytest.raises(IllegalTransition):
        desk.change(ticket, "RESUME", MONDAY)
    ticket.refresh_from_db()
    assert ticket.status == "NEW"
    assert history(ticket) == [("RAISE", "NEW")]


def test_a_hold_that_ends_before_it_began_by_a_wrong_clock_takes_no_time_away(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.change(ticket, "HOLD", MONDAY + HOUR)
    desk.change(ticket, "RESUME", MONDAY)
    ticket.refresh_from_db()
    assert ticket.held_for == timedelta()


def test_assigning_is_written_down_and_to_the_same_person_is_nothing(desk: Desk) -> None:
    ticket = desk.ticket()
    services.assign(ticket.pk, person_id=desk.lead.pk, who="Asha", now=MONDAY)
    services.assign(ticket.pk, person_id=desk.lead.pk, who="Asha", now=MONDAY)
    assert history(ticket) == [("RAISE", "NEW"), ("ASSIGN", "NEW")]
    change = TicketHistory.objects.get(action=Action.ASSIGN)
    assert (change.from_person, change.to_person) == (desk.guard, desk.lead)


def test_nothing_of_another_tenant_can_be_named(desk: Desk) -> None:
    other = Desk("other")
    asset = Asset.objects.create(site=other.site, code="P1", name="Pump")
    for fields in (
        {"assignee_person_id": other.guard.pk},
        {"creator_id": other.creator.pk},
        {"asset_id": asset.pk},
        {"assignee_person_id": None, "assignee_group_id": other.add_group().pk},
    ):
        with pytest.raises(ValidationError):
            desk.ticket(**fields)
    with pytest.raises(ValidationError):
        services.assign(desk.ticket().pk, person_id=other.guard.pk, who="Asha", now=MONDAY)


def test_a_ticket_is_for_a_person_or_a_group_and_not_for_both(desk: Desk) -> None:
    with pytest.raises(ValidationError, match="not both"):
        desk.ticket(assignee_group_id=desk.add_group().pk)


def test_a_system_ticket_costs_five_queries_with_all_that_was_agreed_and_its_mail(desk: Desk) -> None:
    desk.rule(value=4)
    desk.policy(priority="HIGH")
    with CaptureQueriesContext(connection) as queries:
        raised = raise_system_ticket(desk)
    assert len(queries) == 5
    assert OutboxMessage.objects.get().task == "send_ticket_email"
    assert raised.number == "T-000001"
    assert raised.next_escalation is not None


def test_without_a_rule_a_system_ticket_has_no_next_escalation(desk: Desk) -> None:
    assert raise_system_ticket(desk).next_escalation is None
