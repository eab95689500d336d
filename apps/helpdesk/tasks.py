"""The jobs of the helpdesk."""

from datetime import datetime
from typing import Any

from celery import shared_task
from django.dispatch import receiver
from django.utils import timezone

from apps.core import context
from apps.core.sweeps import SweepOutcome
from apps.core.tasks import EmailTask, IdempotentTask

from . import escalation, mails
from .journal import ticket_changed
from .models import Ticket, TicketHistory
from .transitions import Action

MAIL_TTL = 7 * 24 * 3600  # seconds; what a ticket's history tells of once is not mailed twice in a week
BUDGET_SECONDS = 20  # then a sweep makes room for other critical jobs and goes on behind them


@shared_task(base=IdempotentTask, name="ticket_escalation", queue="critical", soft_time_limit=300, time_limit=600)
def ticket_escalation(self: IdempotentTask, now_iso: str | None = None, after: int = 0) -> dict[str, Any]:
    """Escalate what is due at the firing instant; `now_iso` and `after` are a continuation's."""
    now = datetime.fromisoformat(now_iso) if now_iso else self.firing or timezone.now()
    outcome = escalation.escalate_due(now=now, after=after, budget_seconds=BUDGET_SECONDS)
    if outcome.resume_after is not None:
        ticket_escalation.delay(now_iso=now.isoformat(), after=outcome.resume_after)
    return _result(outcome)


@shared_task(
    base=EmailTask,
    name="send_escalation_email",
    idempotency_key=lambda ticket_id, cycle, level: f"{ticket_id}:{cycle}:{level}",
    idempotency_scope="tenant",
    idempotency_ttl=MAIL_TTL,
)
def send_escalation_email(self: EmailTask, ticket_id: int, cycle: int, level: int) -> dict[str, int]:
    """Tell creator, assignee and the rule's addresses of an escalation."""
    sent = mails.send_escalation_mail(ticket_id, cycle, level, send=self.send_mail, now=timezone.now())
    return {"recipients": sent}


@shared_task(
    base=EmailTask,
    name="send_ticket_email",
    queue="high_priority",
    idempotency_key=lambda ticket_id, change_id: f"{ticket_id}:{change_id}",
    idempotency_scope="tenant",
    idempotency_ttl=MAIL_TTL,
)
def send_ticket_email(self: EmailTask, ticket_id: int, change_id: int) -> dict[str, int]:
    """Tell creator and assignee of one change of a ticket's state."""
    sent = mails.send_change_mail(ticket_id, change_id, send=self.send_mail, now=timezone.now())
    return {"recipients": sent}


@receiver(ticket_changed)
def enqueue_mail(ticket: Ticket, change: TicketHistory, **_: Any) -> None:
    """Enqueue the mail about a change, on behalf of the ticket's tenant and as part of the change's transaction."""
    with context.using(tenant_id=ticket.tenant_id):
        if change.action == Action.ESCALATE:
            send_escalation_email.delay(ticket.pk, cycle=change.cycle, level=change.to_level)
        else:
            send_ticket_email.delay(ticket.pk, change_id=change.pk)


def _result(outcome: SweepOutcome) -> dict[str, Any]:
    counts = outcome.counts
    return {
        "checked": counts["found"],
        "escalated": counts["escalated"],
        "at_top": counts["at_top"],
        "mails": counts["escalated"],  # one job each, enqueued with the escalation
        "skipped": counts["skipped"],
        "failed": counts["failed"],
        "errors": outcome.errors,
        "resume_after": outcome.resume_after,
    }
