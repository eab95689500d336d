"""The jobs that mail reports."""

from datetime import datetime
from typing import Any

from celery import shared_task
from django.utils import timezone

from apps.core import context
from apps.core.tasks import EmailTask

from .expiry import mail_about_expired
from .mailing import MailingOutcome, Post, mail_due

MAIL_TTL = 7 * 24 * 3600  # seconds; a report expires once, and is told of once
BUDGET_SECONDS = 60  # then a run makes room for other mails and goes on behind them
COUNTS = (
    "found",
    "sent",
    "mails",
    "links",
    "failed",
    "expired",
    "postponed",
    "reclaimed",
    "dropped",
    "skipped",
    "lost",
)


# The limits are for one report after the budget: 1,000 recipients are 20 mails, each of 10 MiB to a slow server.
@shared_task(base=EmailTask, name="send_generated_report_on_mail", soft_time_limit=20 * 60, time_limit=22 * 60)
def send_generated_report_on_mail(self: EmailTask, now_iso: str | None = None, after: int = 0) -> dict[str, Any]:
    """Mail what is due at the firing instant; `now_iso` and `after` are a continuation's."""
    now = datetime.fromisoformat(now_iso) if now_iso else self.firing or timezone.now()
    post = Post(send=self.send_mail, tell_of_expiry=enqueue_expiry_mail)
    outcome = mail_due(now=now, post=post, after=after, budget_seconds=BUDGET_SECONDS)
    if outcome.resume_after is not None:
        send_generated_report_on_mail.delay(now_iso=now.isoformat(), after=outcome.resume_after)
    return _result(outcome)


@shared_task(
    base=EmailTask,
    name="send_report_expiry_email",
    idempotency_key=lambda tenant_id, report_ids: ",".join(map(str, report_ids)),
    idempotency_scope="tenant",
    idempotency_ttl=MAIL_TTL,
)
def send_report_expiry_email(self: EmailTask, tenant_id: int, report_ids: list[int]) -> dict[str, int]:
    """Tell a tenant's admins, and whose schedules they are, of reports that were not mailed in time."""
    mail = mail_about_expired(tenant_id, report_ids)
    return {"recipients": self.send_mail(mail) if mail else 0}


def enqueue_expiry_mail(tenant_id: int, report_ids: list[int]) -> None:
    """Enqueue the mail on behalf of the tenant, and as part of the transaction that expires the reports."""
    with context.using(tenant_id=tenant_id):
        send_report_expiry_email.delay(tenant_id, report_ids)


def _result(outcome: MailingOutcome) -> dict[str, Any]:
    counts = {name: outcome.counts[name] for name in COUNTS}
    return {
        **counts,
        "server_down": outcome.server_down,
        "errors": outcome.errors,
        "resume_after": outcome.resume_after,
    }
