"""Closing occurrences that expired before anybody finished them."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Case, Q, Value, When

from apps.core.mail import valid_addresses
from apps.core.sweeps import SweepOutcome, sweep
from apps.organization.local_time import in_zone

from .models import Job, JobNeed
from .outcome import outcome_of
from .overdue import Overdue, lock_overdue, overdue_ids
from .ticket_raising import RaisedTicket, ticket_raiser
from .transitions import require_legal

Status = JobNeed.Status

COUNTED_AS: Final = {
    Status.AUTO_CLOSED: "closed",
    Status.PARTIALLY_COMPLETED: "partially",
    Status.COMPLETED: "completed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryNotice:
    """What the people in charge are to be told."""

    jobneed_id: int
    tenant_id: int
    closed_at: datetime
    ticket_number: str | None  # of the ticket that was raised, if one was
    escalates_at: datetime | None  # when that ticket goes to the next level


def auto_close(
    *,
    now: datetime,
    tell: Callable[[ExpiryNotice], None],
    budget_seconds: float,
    after: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> SweepOutcome:
    """Close every open root occurrence of an active tenant with `expires_at <= now`, however old.

    `tell` is called in the transaction that closes, and must do nothing that outlives a rollback. Counts found,
    closed, partially, completed, tickets, mails, nobody_to_tell, skipped and failed.
    """
    return sweep(
        select=lambda after, limit: overdue_ids(now, after, limit),
        handle=lambda jobneed_id: close_expired(jobneed_id, now=now, tell=tell),
        after=after,
        budget_seconds=budget_seconds,
        clock=clock,
    )


def close_expired(jobneed_id: int, *, now: datetime, tell: Callable[[ExpiryNotice], None]) -> Counter[str]:
    """Close one occurrence and what belongs to it. Needs a transaction around it; returns what it counted."""
    overdue = lock_overdue(jobneed_id, now)
    if overdue is None:
        return Counter(["skipped"])  # another worker has it, it was finished, or its expiry was moved
    outcome = outcome_of(overdue.status, overdue.checkpoints, overdue.checklist)
    _write(overdue, outcome)
    if outcome == Status.COMPLETED:
        return Counter([COUNTED_AS[outcome]])  # nothing was missed
    return Counter([COUNTED_AS[outcome], *_consequences(overdue, now, tell)])


def _write(overdue: Overdue, outcome: JobNeed.Status) -> None:
    """Close the root, and its checkpoints that nobody began, in one conditional statement."""
    require_legal(overdue.status, outcome)
    rows = Q(pk=overdue.jobneed_id, status=overdue.status)
    status: Value | Case = Value(outcome)
    if Status.ASSIGNED in overdue.checkpoints:
        rows |= Q(parent=overdue.jobneed_id, status=Status.ASSIGNED)
        status = Case(When(pk=overdue.jobneed_id, then=status), default=Value(Status.AUTO_CLOSED))
    JobNeed.objects.filter(rows).update(status=status, closed_by_server=True)


def _consequences(overdue: Overdue, now: datetime, tell: Callable[[ExpiryNotice], None]) -> list[str]:
    """Raise the ticket and tell people, as the job's `on_expiry` says. Returns what to count."""
    if overdue.on_expiry == Job.OnExpiry.NONE:
        return []
    counted = []
    ticket = None
    if overdue.on_expiry == Job.OnExpiry.RAISE_TICKET:
        ticket = _raise_ticket(overdue, now)
        counted.append("tickets")
    if not valid_addresses([*overdue.in_charge, *overdue.admin_emails]):
        return [*counted, "nobody_to_tell"]
    tell(
        ExpiryNotice(
            jobneed_id=overdue.jobneed_id,
            tenant_id=overdue.tenant_id,
            closed_at=now,
            ticket_number=ticket.number if ticket else None,
            escalates_at=ticket.next_escalation if ticket else None,
        )
    )
    return [*counted, "mails"]


def _raise_ticket(overdue: Overdue, now: datetime) -> RaisedTicket:
    planned = in_zone(overdue.planned_at, overdue.zone)
    return ticket_raiser()(
        tenant_id=overdue.tenant_id,
        site_id=overdue.site_id,
        asset_id=overdue.asset_id,
        category=overdue.category,
        priority=overdue.priority,
        description=f"{overdue.name}, planned for {planned}, was not done in time.",
        assignee_person_id=overdue.assignee_person_id,
        assignee_group_id=overdue.assignee_group_id,
        now=now,
    )
