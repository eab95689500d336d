"""Closing occurrences that expired before anybody finished them."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, OuterRef, Q, QuerySet, Value, When

from apps.core.mail import valid_addresses
from apps.core.sweeps import SweepOutcome, sweep
from apps.organization.local_time import in_zone

from .expiry_mail import admin_addresses
from .models import ChecklistItem, Job, JobNeed
from .outcome import outcome_of
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

    `tell` is called in the transaction that closes, and must do its work after the commit. Counts found, closed,
    partially, completed, tickets, mails, nobody_to_tell, skipped and failed.
    """
    return sweep(
        select=lambda after, limit: _select(now, after, limit),
        handle=lambda jobneed_id: close_expired(jobneed_id, now=now, tell=tell),
        after=after,
        budget_seconds=budget_seconds,
        clock=clock,
    )


def close_expired(jobneed_id: int, *, now: datetime, tell: Callable[[ExpiryNotice], None]) -> Counter[str]:
    """Close one occurrence and what belongs to it. Needs a transaction around it; returns what it counted."""
    root = _lock(jobneed_id, now)
    if root is None:
        return Counter(["skipped"])  # another worker has it, it was finished, or its expiry was moved
    outcome = outcome_of(root.status, root.checkpoint_statuses, root.checklist_done)
    _write(root, outcome)
    if outcome == Status.COMPLETED:
        return Counter([COUNTED_AS[outcome]])  # nothing was missed
    return Counter([COUNTED_AS[outcome], *_consequences(root, now, tell)])


def _due(now: datetime) -> Q:
    return Q(parent=None, status__in=JobNeed.OPEN, expires_at__lte=now)


def _select(now: datetime, after: int, limit: int) -> Sequence[int]:
    due = JobNeed.objects.filter(_due(now), pk__gt=after, site__tenant__is_active=True)
    return list(due.order_by("pk").values_list("pk", flat=True)[:limit])


def _lock(jobneed_id: int, now: datetime) -> Any:
    """Take the row's lock where the work is still due and nobody else holds it; else None.

    The same statement reads all that decides about it. A checkpoint that is reported between its snapshot and the
    lock counts as reported after the close, and the close will not overwrite it.
    """
    rows = _with_facts().filter(_due(now), pk=jobneed_id)
    return next(iter(rows.select_for_update(of=("self",), skip_locked=True)), None)


@cache  # to put the query together takes longer than to run it
def _with_facts() -> QuerySet[JobNeed]:
    checkpoints = JobNeed.objects.filter(parent=OuterRef("pk")).order_by()
    checklist = ChecklistItem.objects.filter(jobneed=OuterRef("pk")).order_by()
    return (
        JobNeed.objects.select_related("job", "site")
        .annotate(
            checkpoint_statuses=ArraySubquery(checkpoints.values("status")),
            checklist_done=ArraySubquery(checklist.values("is_done")),
            admin_emails=ArraySubquery(admin_addresses(OuterRef("site__tenant"))),
        )
        .order_by()
    )


def _write(root: Any, outcome: JobNeed.Status) -> None:
    """Close the root, and its checkpoints that nobody began, in one conditional statement."""
    require_legal(root.status, outcome)
    rows = Q(pk=root.pk, status=root.status)
    status: Value | Case = Value(outcome)
    if Status.ASSIGNED in root.checkpoint_statuses:
        rows |= Q(parent=root, status=Status.ASSIGNED)
        status = Case(When(pk=root.pk, then=status), default=Value(Status.AUTO_CLOSED))
    JobNeed.objects.filter(rows).update(status=status, closed_by_server=True)


def _consequences(root: Any, now: datetime, tell: Callable[[ExpiryNotice], None]) -> list[str]:
    """Raise the ticket and tell people, as the job's `on_expiry` says. Returns what to count."""
    if root.job.on_expiry == Job.OnExpiry.NONE:
        return []
    counted = []
    ticket = None
    if root.job.on_expiry == Job.OnExpiry.RAISE_TICKET:
        ticket = _raise_ticket(root, now)
        counted.append("tickets")
    if not valid_addresses([*root.site.in_charge, *root.admin_emails]):
        return [*counted, "nobody_to_tell"]
    tell(
        ExpiryNotice(
            jobneed_id=root.pk,
            tenant_id=root.site.tenant_id,
            closed_at=now,
            ticket_number=ticket.number if ticket else None,
            escalates_at=ticket.next_escalation if ticket else None,
        )
    )
    return [*counted, "mails"]


def _raise_ticket(root: JobNeed, now: datetime) -> RaisedTicket:
    planned = in_zone(root.planned_at, root.site.zone)
    return ticket_raiser()(
        tenant_id=root.site.tenant_id,
        site_id=root.site_id,
        asset_id=root.asset_id,
        category=root.job.category,
        priority=root.job.priority,
        description=f"{root.job.name}, planned for {planned}, was not done in time.",
        assignee_person_id=root.assignee_person_id,
        assignee_group_id=root.assignee_group_id,
        now=now,
    )
