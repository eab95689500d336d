"""The admin of tickets: what people see, and that changes go through the services."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.helpdesk.models import EscalationRule, SlaPolicy, Ticket, TicketHistory

from .desk import HOUR, MONDAY, Desk, escalations

TICKETS = reverse("admin:helpdesk_ticket_changelist")


@pytest.fixture
def clerk(desk: Desk, client: Client) -> Client:
    """Signed in as the desk's creator, with all permissions of the helpdesk."""
    user = User.objects.create_user("asha", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=["helpdesk", "organization"]))
    desk.creator.user = user
    desk.creator.save()
    client.force_login(user)
    return client


def page_of(ticket: Ticket) -> str:
    return reverse("admin:helpdesk_ticket_change", args=[ticket.pk])


def form_of(ticket: Ticket, **changes: Any) -> dict[str, Any]:
    unchanged = {
        "category": ticket.category,
        "priority": ticket.priority,
        "description": ticket.description,
        "asset": "",
        "assignee_person": ticket.assignee_person_id or "",
        "assignee_group": "",
        "history-TOTAL_FORMS": 0,
        "history-INITIAL_FORMS": 0,
    }
    return {**unchanged, **changes}


def test_the_list_shows_the_own_tenants_tickets_only(desk: Desk, clerk: Client) -> None:
    own, foreign = desk.ticket(), Desk("other").ticket()
    shown = clerk.get(TICKETS).context["cl"].result_list
    assert list(shown) == [own]
    assert clerk.get(page_of(foreign)).status_code == 302


def test_the_list_costs_the_same_number_of_queries_for_many_tickets(
    desk: Desk, clerk: Client, django_assert_max_num_queries
) -> None:
    desk.many_tickets(40)
    with django_assert_max_num_queries(20):
        clerk.get(TICKETS)


def test_the_page_shows_clock_and_history(desk: Desk, clerk: Client) -> None:
    desk.rule(value=500, unit="WEEK")
    ticket = desk.ticket(at=timezone.now() - HOUR)
    text = clerk.get(page_of(ticket)).content.decode()
    assert "(Asia/Kolkata)" in text
    assert "1:00:0" in text
    assert "RAISE" in text.upper()


def test_a_ticket_raised_here_has_a_number_a_history_and_its_sites_tenant(desk: Desk, clerk: Client) -> None:
    fields = {"site": desk.site.pk, "category": "Door", "priority": "HIGH", "description": "Broken."}
    answer = clerk.post(reverse("admin:helpdesk_ticket_add"), fields)
    assert answer.status_code == 302
    ticket = Ticket.objects.get()
    assert (ticket.number, ticket.tenant, ticket.creator) == ("T-000001", desk.tenant, desk.creator)
    assert TicketHistory.objects.get().who == "Asha"


def test_a_ticket_cannot_be_raised_at_another_tenants_site(desk: Desk, clerk: Client) -> None:
    other = Desk("other")
    fields = {"site": other.site.pk, "category": "Door", "priority": "HIGH", "description": "Broken."}
    assert clerk.post(reverse("admin:helpdesk_ticket_add"), fields).status_code == 200
    assert not Ticket.objects.exists()


def test_saving_a_page_does_not_undo_an_escalation_that_came_between(desk: Desk, clerk: Client, sweep) -> None:
    desk.rule(assign_person=desk.lead)
    ticket = desk.ticket()
    form = form_of(ticket, description="Broken and loud.", assignee_person=desk.lead.pk)
    sweep(MONDAY + HOUR)
    assert clerk.post(page_of(ticket), form).status_code == 302
    ticket.refresh_from_db()
    assert (ticket.description, ticket.level) == ("Broken and loud.", 1)
    assert ticket.last_escalated_at == MONDAY + HOUR
    assert len(escalations(ticket)) == 1


def test_assigning_here_is_written_down(desk: Desk, clerk: Client) -> None:
    ticket = desk.ticket()
    clerk.post(page_of(ticket), form_of(ticket, assignee_person=desk.lead.pk))
    change = TicketHistory.objects.get(action="ASSIGN")
    assert (change.who, change.from_person, change.to_person) == ("Asha", desk.guard, desk.lead)


def test_the_actions_change_what_they_may_and_name_what_they_may_not(desk: Desk, clerk: Client) -> None:
    new, closed = desk.ticket(), desk.ticket()
    desk.change(closed, "RESOLVE", MONDAY)
    desk.change(closed, "CLOSE", MONDAY)
    fields = {"action": "hold", "_selected_action": [new.pk, closed.pk]}
    text = clerk.post(TICKETS, fields, follow=True).content.decode()
    assert f"{closed.number}: HOLD is not possible for a ticket that is CLOSED; possible: REOPEN." in text
    assert "1 done: hold." in text
    new.refresh_from_db()
    assert new.status == "ON_HOLD"
    assert timezone.now() - new.on_hold_since < timedelta(minutes=1)


def test_the_history_cannot_be_changed_here(desk: Desk, clerk: Client) -> None:
    ticket = desk.ticket()
    (change,) = TicketHistory.objects.all()
    inline = {
        "history-TOTAL_FORMS": 1,
        "history-INITIAL_FORMS": 1,
        "history-0-id": change.pk,
        "history-0-who": "Nobody",
        "history-0-DELETE": "on",
    }
    assert clerk.post(page_of(ticket), {**form_of(ticket), **inline}).status_code == 302
    change.refresh_from_db()
    assert change.who == "Asha"


def test_rules_and_policies_are_kept_here(desk: Desk, clerk: Client) -> None:
    rule = {"tenant": desk.tenant.pk, "category": "Door", "level": 1, "value": 2, "unit": "DAY", "extra_emails": ""}
    assert clerk.post(reverse("admin:helpdesk_escalationrule_add"), rule).status_code == 302
    assert EscalationRule.objects.get().after == timedelta(days=2)
    policy = {"tenant": desk.tenant.pk, "priority": "HIGH", "opens_at": "08:00", "closes_at": "18:00"}
    policy |= {"weekdays": ["1", "6"], "is_active": "on"}
    assert clerk.post(reverse("admin:helpdesk_slapolicy_add"), policy).status_code == 302
    assert SlaPolicy.objects.get().weekdays == [1, 6]
    for name in ("escalationrule", "slapolicy"):
        assert clerk.get(reverse(f"admin:helpdesk_{name}_changelist")).status_code == 200


def test_a_rule_names_nobody_of_another_tenant(desk: Desk, clerk: Client) -> None:
    other = Desk("other")
    rule = {"tenant": desk.tenant.pk, "category": "Door", "level": 1, "value": 2, "unit": "DAY"}
    for foreign in ({"site": other.site.pk}, {"assign_person": other.lead.pk}, {"tenant": other.tenant.pk}):
        answer = clerk.post(reverse("admin:helpdesk_escalationrule_add"), {**rule, **foreign})
        assert answer.status_code == 200
    assert not EscalationRule.objects.exists()


def test_two_rules_for_the_same_level_are_refused_with_a_message(desk: Desk, clerk: Client) -> None:
    desk.rule()
    rule = {"tenant": desk.tenant.pk, "category": "Door", "level": 1, "value": 2, "unit": "DAY"}
    answer = clerk.post(reverse("admin:helpdesk_escalationrule_add"), rule)
    assert "already exists" in answer.content.decode()
