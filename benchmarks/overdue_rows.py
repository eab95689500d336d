"""Many overdue occurrences and due tickets, copied from those of the demonstration company."""

from copy import copy
from datetime import datetime, timedelta
from itertools import cycle, islice

from apps.helpdesk.models import Ticket
from apps.operations.models import JobNeed


def add_overdue_occurrences(count: int, now: datetime) -> None:
    """Expired roots of templates of every kind, none of them started."""
    patterns = list(JobNeed.objects.filter(parent=None, expires_at__lte=now).order_by("job_id").distinct("job_id"))
    JobNeed.objects.bulk_create(
        (_occurrence(pattern, n, now) for n, pattern in enumerate(islice(cycle(patterns), count))), batch_size=2000
    )


def add_due_tickets(count: int, now: datetime) -> None:
    """Copies of tickets that the demonstration company has not handled in time."""
    patterns = list(Ticket.objects.filter(status__in=("NEW", "OPEN"), level=0).order_by("pk"))
    Ticket.objects.bulk_create(
        (_ticket(pattern, n, now) for n, pattern in enumerate(islice(cycle(patterns), count))), batch_size=2000
    )


def _occurrence(pattern: JobNeed, n: int, now: datetime) -> JobNeed:
    made = copy(pattern)
    made.pk = None
    made.planned_at = now - timedelta(days=400, minutes=n)
    made.expires_at = made.planned_at + timedelta(hours=1)
    made.status, made.performed_at, made.closed_by_server = JobNeed.Status.ASSIGNED, None, False
    return made


def _ticket(pattern: Ticket, n: int, now: datetime) -> Ticket:
    made = copy(pattern)
    made.pk = None
    made.number = f"B-{n:06}"
    made.created_at = made.cycle_started_at = now - timedelta(days=60)
    made.last_escalated_at = made.on_hold_since = None
    made.held_for = timedelta()
    return made
