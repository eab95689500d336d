"""The mails about what happens to a ticket. All times are those of the site."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet

from apps.core.logs import get_logger
from apps.core.mail import OutgoingMail, message_id, valid_addresses
from apps.organization.local_time import in_zone
from apps.organization.models import Person

from .agreement import next_escalation
from .models import TicketHistory
from .transitions import Action

log = get_logger(__name__)

SAID_AS: Final = {
    Action.RAISE: "raised",
    Action.ASSIGN: "assigned",
    Action.OPEN: "taken in hand",
    Action.HOLD: "put on hold",
    Action.RESUME: "taken up again",
    Action.RESOLVE: "resolved",
    Action.CLOSE: "closed",
    Action.CANCEL: "cancelled",
    Action.REOPEN: "reopened",
}


def send_change_mail(ticket_id: int, change_id: int, *, send: Callable[[OutgoingMail], int], now: datetime) -> int:
    """Tell people of a change of a ticket's state, once. Returns the number of recipients."""
    return _send_once(_changes().get(ticket_id=ticket_id, pk=change_id), send, now)


def send_escalation_mail(
    ticket_id: int, cycle: int, level: int, *, send: Callable[[OutgoingMail], int], now: datetime
) -> int:
    """Tell people of an escalation, once. Returns the number of recipients."""
    change = _changes().get(ticket_id=ticket_id, cycle=cycle, to_level=level, action=Action.ESCALATE)
    return _send_once(change, send, now)


def mail_about(change: TicketHistory) -> OutgoingMail | None:
    """The mail about a change; None where there is nobody to tell."""
    recipients = _recipients(change)
    if not recipients:
        return None
    return OutgoingMail(
        to=recipients,
        subject=_subject(change),
        body="\n".join([*_lines(change), "", change.ticket.description, ""]),
        message_id=_message_id(change),
    )


def _changes() -> QuerySet[TicketHistory]:
    return TicketHistory.objects.select_related("ticket__site", "to_person", "to_group", "rule")


def _send_once(change: TicketHistory, send: Callable[[OutgoingMail], int], now: datetime) -> int:
    if change.mailed_at is not None:
        return 0
    mail = mail_about(change)
    if mail is None:
        log.warning("ticket.nobody_to_tell", ticket_id=change.ticket_id, change_id=change.pk)
        return 0
    recipients = send(mail)
    TicketHistory.objects.filter(pk=change.pk).update(mailed_at=now)
    return recipients


def _recipients(change: TicketHistory) -> tuple[str, ...]:
    concerned = Q(pk__in=[change.ticket.creator_id, change.to_person_id])
    if change.to_group_id is not None:
        concerned |= Q(groups=change.to_group_id)
    people = Person.objects.filter(concerned, tenant_id=change.ticket.tenant_id, is_active=True).order_by("pk")
    extra = change.rule.extra_emails if change.rule else []
    return valid_addresses([*people.values_list("email", flat=True), *extra])


def _subject(change: TicketHistory) -> str:
    if change.action == Action.ESCALATE:
        return f"Escalation level {change.to_level}: ticket {change.ticket.number}"
    return f"Ticket {change.ticket.number}: {SAID_AS[Action(change.action)]}"


def _message_id(change: TicketHistory) -> str:
    ticket = change.ticket
    if change.action == Action.ESCALATE:
        return message_id(ticket.tenant_id, ticket.pk, change.cycle, change.to_level)
    return message_id(ticket.tenant_id, ticket.pk, "change", change.pk)


def _lines(change: TicketHistory) -> Iterator[str]:
    ticket = change.ticket
    zone = ticket.site.zone
    if change.action == Action.ESCALATE:
        yield f"Ticket {ticket.number} reached escalation level {change.to_level} on {in_zone(change.at, zone)}."
    else:
        said = SAID_AS[Action(change.action)]
        yield f"Ticket {ticket.number} was {said} on {in_zone(change.at, zone)} by {change.who}."
    yield ""
    yield f"Site: {ticket.site}"
    yield f"Category: {ticket.category}"
    yield f"Priority: {ticket.priority}"
    yield f"Status: {change.status}"
    yield f"Assigned to: {change.to_person or change.to_group or 'nobody'}"
    yield f"Raised: {in_zone(ticket.created_at, zone)}"
    if due := next_escalation(ticket.pk):
        yield f"Next escalation: {in_zone(due, zone)}"
