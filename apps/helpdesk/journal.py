"""The record of what happens to tickets, and its announcement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.dispatch import Signal

from .models import Ticket, TicketHistory
from .transitions import Action

SYSTEM: Final = "system"

# Sent with `ticket` and `change`, a row of TicketHistory, inside the transaction that writes both.
ticket_changed = Signal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What of a ticket a change is recorded with before and after."""

    level: int = 0
    person_id: int | None = None
    group_id: int | None = None

    @classmethod
    def of(cls, ticket: Ticket) -> "Standing":
        return cls(level=ticket.level, person_id=ticket.assignee_person_id, group_id=ticket.assignee_group_id)


def record(
    ticket: Ticket,
    action: Action,
    *,
    before: Standing,
    at: datetime,
    who: str = SYSTEM,
    rule_id: int | None = None,
    held_from: datetime | None = None,
) -> TicketHistory:
    """Write down that `action` has made of `before` what `ticket` now is, and announce it."""
    change = TicketHistory.objects.create(
        ticket=ticket,
        at=at,
        who=who,
        action=action,
        status=ticket.status,
        cycle=ticket.cycle,
        from_level=before.level,
        to_level=ticket.level,
        from_person_id=before.person_id,
        from_group_id=before.group_id,
        to_person_id=ticket.assignee_person_id,
        to_group_id=ticket.assignee_group_id,
        rule_id=rule_id,
        held_from=held_from,
    )
    ticket_changed.send(sender=Ticket, ticket=ticket, change=change)
    return change
