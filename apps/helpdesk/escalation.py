"""The sweep that takes tickets to their next level when nobody has dealt with them in the agreed time."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from apps.core.sweeps import SweepOutcome, sweep

from .agreement import Agreement, Row, agreement_on, count_at_top, possibly_due
from .journal import Standing, record
from .models import Ticket
from .transitions import Action


def escalate_due(
    *,
    now: datetime,
    budget_seconds: float,
    after: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> SweepOutcome:
    """Take every due ticket of the active tenants up by exactly one level.

    Counts found (looked at), escalated, skipped (in another worker's hands, or no longer due), failed; and, by the
    part of a sweep that completes it, at_top (waiting tickets for which no rule is left).
    """
    candidates: dict[int, Row] = {}

    def select(after: int, limit: int) -> Sequence[int]:
        candidates.clear()
        candidates.update(possibly_due(now, after=after, limit=limit))
        return list(candidates)

    def handle(ticket_id: int) -> Counter[str]:
        # Most nights and weekends this is the end of it, without a query.
        if Agreement.of(candidates[ticket_id]).due_at(until=now) is None:
            return Counter()
        return Counter(["escalated" if escalate(ticket_id, now=now) else "skipped"])

    outcome = sweep(select=select, handle=handle, after=after, budget_seconds=budget_seconds, clock=clock)
    if outcome.resume_after is None:
        outcome.counts["at_top"] = count_at_top()
    return outcome


def escalate(ticket_id: int, *, now: datetime) -> bool:
    """Take one ticket to its next level; False where that is not due or another worker has the row.

    Needs a transaction around it.
    """
    ticket = _lock(ticket_id)
    agreement = agreement_on(ticket_id) if ticket else None  # read after the lock, so that nothing in it is old
    if not ticket or not agreement or agreement.due_at(until=now) is None:
        return False
    before = Standing.of(ticket)
    if not _take_up(ticket, agreement, now):
        return False
    record(ticket, Action.ESCALATE, before=before, at=now, rule_id=agreement.rule_id)
    return True


def _lock(ticket_id: int) -> Ticket | None:
    return Ticket.objects.filter(pk=ticket_id).select_for_update(skip_locked=True).first()


def _take_up(ticket: Ticket, agreement: Agreement, now: datetime) -> bool:
    """The one conditional update that makes it so. A rule that names nobody leaves the assignee."""
    unchanged = Ticket.objects.filter(pk=ticket.pk, status=ticket.status, cycle=ticket.cycle, level=ticket.level)
    ticket.level += 1
    ticket.last_escalated_at = now
    ticket.held_for = agreement.held_after(now)
    if agreement.assign_person_id or agreement.assign_group_id:
        ticket.assignee_person_id = agreement.assign_person_id
        ticket.assignee_group_id = agreement.assign_group_id
    written = ("level", "last_escalated_at", "held_for", "assignee_person_id", "assignee_group_id")
    return bool(unchanged.update(**{name: getattr(ticket, name) for name in written}))
