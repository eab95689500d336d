"""What people and other apps do with tickets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apps.organization.models import Site

from . import transitions
from .agreement import next_escalation
from .journal import SYSTEM, Standing, record
from .models import Ticket
from .numbering import take_number
from .transitions import Action, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedTicket:
    id: int
    number: str
    next_escalation: datetime | None  # None where no rule says so


@transaction.atomic
def raise_ticket(
    *,
    site_id: int,
    category: str,
    description: str,
    who: str,
    now: datetime,
    priority: str = Ticket.Priority.MEDIUM,
    asset_id: int | None = None,
    creator_id: int | None = None,
    assignee_person_id: int | None = None,
    assignee_group_id: int | None = None,
) -> Ticket:
    """Write a ticket that a person raises. Raises ValidationError where the parts do not fit together."""
    ticket = _new(
        now,
        tenant_id=Site.objects.values_list("tenant_id", flat=True).get(pk=site_id),
        site_id=site_id,
        category=category,
        description=description,
        priority=priority,
        asset_id=asset_id,
        creator_id=creator_id,
        assignee_person_id=assignee_person_id,
        assignee_group_id=assignee_group_id,
    )
    ticket.full_clean(exclude=["number"])
    return _raise(ticket, who)


def raise_system_ticket(
    *,
    tenant_id: int,
    site_id: int,
    asset_id: int | None,
    category: str,
    priority: str,
    description: str,
    assignee_person_id: int | None,
    assignee_group_id: int | None,
    now: datetime,
) -> RaisedTicket:
    """Write a ticket that a job raises, within the caller's transaction."""
    ticket = _raise(
        _new(
            now,
            source=Ticket.Source.SYSTEM,
            tenant_id=tenant_id,
            site_id=site_id,
            asset_id=asset_id,
            category=category,
            priority=priority,
            description=description,
            assignee_person_id=assignee_person_id,
            assignee_group_id=assignee_group_id,
        ),
        SYSTEM,
    )
    return RaisedTicket(id=ticket.pk, number=ticket.number, next_escalation=next_escalation(ticket.pk))


@transaction.atomic
def change_status(ticket_id: int, action: Action, *, who: str, now: datetime) -> Ticket:
    """Do `action` to a ticket. Raises IllegalTransition where its status does not allow that.

    Every way out of ON_HOLD records the time on hold. Reopening starts a new cycle at level 0.
    """
    ticket = Ticket.objects.select_for_update().get(pk=ticket_id)
    before = Standing.of(ticket)
    held_from = ticket.on_hold_since
    ticket.status = transitions.after(Status(ticket.status), action)
    ticket.on_hold_since = now if ticket.status == Status.ON_HOLD else None
    if held_from is not None:
        ticket.held_for += max(now - held_from, timedelta())
    if action == Action.REOPEN:
        _start_cycle(ticket, now)
    ticket.save()
    record(ticket, action, before=before, at=now, who=who, held_from=held_from)
    return ticket


@transaction.atomic
def assign(
    ticket_id: int, *, person_id: int | None = None, group_id: int | None = None, who: str, now: datetime
) -> Ticket:
    """Give a ticket to a person or a group, or to nobody. Raises ValidationError for another tenant's."""
    ticket = Ticket.objects.select_for_update().get(pk=ticket_id)
    before = Standing.of(ticket)
    ticket.assignee_person_id = person_id
    ticket.assignee_group_id = group_id
    if Standing.of(ticket) == before:
        return ticket
    ticket.full_clean()
    ticket.save(update_fields=["assignee_person", "assignee_group"])
    record(ticket, Action.ASSIGN, before=before, at=now, who=who)
    return ticket


def _new(now: datetime, **fields: Any) -> Ticket:
    return Ticket(created_at=now, cycle_started_at=now, **fields)


def _raise(ticket: Ticket, who: str) -> Ticket:
    ticket.number = take_number(ticket.tenant_id)
    ticket.save(force_insert=True)
    record(ticket, Action.RAISE, before=Standing.of(ticket), at=ticket.created_at, who=who)
    return ticket


def _start_cycle(ticket: Ticket, now: datetime) -> None:
    ticket.cycle += 1
    ticket.level = 0
    ticket.cycle_started_at = now
    ticket.last_escalated_at = None
    ticket.held_for = timedelta()
