"""The jobs of operations."""

from datetime import datetime
from typing import Any

from celery import shared_task
from django.utils import timezone

from apps.core import context
from apps.core.sweeps import SweepOutcome
from apps.core.tasks import EmailTask, IdempotentTask

from . import services

MAIL_TTL = 7 * 24 * 3600  # an occurrence is closed once; no mail about it is sent twice in a week
BUDGET_SECONDS = 20  # then a sweep makes room for other critical jobs and goes on behind them
COUNTS = (
    "found",
    "closed",
    "partially",
    "completed",
    "tickets",
    "mails",
    "nobody_to_tell",
    "skipped",
    "failed",
)
PLANNING_COUNTS = ("templates", "created", "checkpoints", "replaced", "skipped", "failed", "reminders")
REMINDER_COUNTS = (
    "found",
    "sent",
    "recipients",
    "expired",
    "failed",
    "given_up",
    "nobody_to_tell",
    "skipped",
    "postponed",
)


@shared_task(base=IdempotentTask, name="auto_close_jobs", queue="critical", soft_time_limit=600, time_limit=900)
def auto_close_jobs(self: IdempotentTask, now_iso: str | None = None, after: int = 0) -> dict[str, Any]:
    """Close what expired by the firing instant; `now_iso` and `after` are a continuation's."""
    now = _instant(self, now_iso)
    outcome = services.auto_close(now=now, after=after, budget_seconds=BUDGET_SECONDS, tell=enqueue_mail)
    if outcome.resume_after is not None:
        auto_close_jobs.delay(now_iso=now.isoformat(), after=outcome.resume_after)
    return _result(outcome)


@shared_task(
    base=EmailTask,
    name="send_job_expiry_email",
    idempotency_key=lambda jobneed_id, *_, **__: f"{jobneed_id}:auto_close",
    idempotency_scope="tenant",
    idempotency_ttl=MAIL_TTL,
)
def send_job_expiry_email(
    self: EmailTask,
    jobneed_id: int,
    closed_at: str,
    ticket_number: str | None = None,
    escalates_at: str | None = None,
) -> dict[str, int]:
    """Tell the people in charge that an occurrence was not done in time. Instants are ISO 8601."""
    mail = services.job_expiry_mail(
        jobneed_id,
        closed_at=datetime.fromisoformat(closed_at),
        ticket_number=ticket_number,
        escalates_at=datetime.fromisoformat(escalates_at) if escalates_at else None,
    )
    return {"recipients": self.send_mail(mail) if mail else 0}


@shared_task(base=IdempotentTask, name="create_ppm_job", queue="maintenance", soft_time_limit=1800, time_limit=2400)
def create_ppm_job(self: IdempotentTask, now_iso: str | None = None) -> dict[str, Any]:
    """Generate preventive maintenance for the 30 days after the firing instant, or after `now_iso`."""
    return _planned(services.plan_ppm(now=_instant(self, now_iso)))


@shared_task(base=IdempotentTask, name="create_job", queue="maintenance", soft_time_limit=1800, time_limit=2400)
def create_job(self: IdempotentTask, now_iso: str | None = None) -> dict[str, Any]:
    """Generate all other planned work for the 2 days after the firing instant, or after `now_iso`."""
    return _planned(services.plan_other_work(now=_instant(self, now_iso)))


@shared_task(base=EmailTask, name="send_reminder_email")
def send_reminder_email(self: EmailTask, after: int = 0, run: str | None = None) -> dict[str, Any]:
    """Remind people of work that is due soon; `after` and `run`, which makes its key its own, are a continuation's.

    It goes by the clock and not by its firing: nobody is reminded of what has begun while it waited.
    """
    run = run or (self.firing or timezone.now()).isoformat()
    outcome = services.send_reminders(
        now=timezone.now(), send=self.send_mail, after=after, budget_seconds=BUDGET_SECONDS
    )
    if outcome.resume_after is not None:
        send_reminder_email.delay(after=outcome.resume_after, run=run)
    counts = {name: outcome.counts[name] for name in REMINDER_COUNTS}
    return {**counts, "errors": outcome.errors, "resume_after": outcome.resume_after}


def enqueue_mail(notice: services.ExpiryNotice) -> None:
    """Enqueue the mail, on behalf of the occurrence's tenant and as part of the transaction that closes it."""
    with context.using(tenant_id=notice.tenant_id):
        send_job_expiry_email.delay(
            jobneed_id=notice.jobneed_id,
            closed_at=notice.closed_at.isoformat(),
            ticket_number=notice.ticket_number,
            escalates_at=notice.escalates_at.isoformat() if notice.escalates_at else None,
        )


def _instant(task: IdempotentTask, now_iso: str | None) -> datetime:
    """The moment as of which a job works."""
    return datetime.fromisoformat(now_iso) if now_iso else task.firing or timezone.now()


def _planned(outcome: services.PlanningOutcome) -> dict[str, Any]:
    return {**{name: outcome.counts[name] for name in PLANNING_COUNTS}, "errors": outcome.errors}


def _result(outcome: SweepOutcome) -> dict[str, Any]:
    counts = {name: outcome.counts[name] for name in COUNTS}
    return {**counts, "errors": outcome.errors, "resume_after": outcome.resume_after}
