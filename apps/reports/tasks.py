"""The jobs of reports: making them and cleaning up. Those that mail them are in mail_tasks.py."""

from datetime import UTC, datetime, timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from apps.core import context
from apps.core.tasks import EmailTask, MaintenanceTask, ReportTask

from . import services
from .mail_tasks import send_generated_report_on_mail, send_report_expiry_email
from .models import ReportSchedule
from .progress import harmless
from .windows import Window

__all__ = [
    "cleanup_sent_reports",
    "create_scheduled_reports",
    "run_report_now",
    "send_generated_report_on_mail",
    "send_report_disabled_email",
    "send_report_expiry_email",
]

MAIL_TTL = 7 * 24 * 3600  # seconds; that a schedule has been disabled is told once
# Then a run goes on as a new job, so that each report has as long again until the soft limit, and others get a turn.
BUDGET_SECONDS = 300


@shared_task(base=ReportTask, repeatable=True, name="create_scheduled_reports", soft_time_limit=600, time_limit=900)
def create_scheduled_reports(self: ReportTask, now_iso: str | None = None, after: int = 0) -> dict[str, Any]:
    """Make what is due at the firing instant; `now_iso` and `after` are a continuation's."""
    now = datetime.fromisoformat(now_iso) if now_iso else self.firing or timezone.now()
    outcome = services.make_due(
        now=now,
        after=after,
        budget_seconds=BUDGET_SECONDS,
        tell=enqueue_disabled_mail,
        progress=harmless(self.progress),
    )
    if outcome.resume_after is not None:
        create_scheduled_reports.delay(now_iso=now.isoformat(), after=outcome.resume_after)
    return {
        "generated": outcome.counts["generated"],
        "skipped": outcome.counts["skipped"],
        "failed": outcome.failed,
        "windows": outcome.counts["windows"],
        "resume_after": outcome.resume_after,
    }


@shared_task(base=ReportTask, repeatable=True, name="run_report_now", soft_time_limit=600, time_limit=900)
def run_report_now(
    self: ReportTask, schedule_id: int, since: str | None = None, until: str | None = None
) -> dict[str, Any]:
    """Make a report beside its schedule, of the time from `since` to `until` (ISO 8601) or since the last window."""
    if since and until:
        window = Window(start=datetime.fromisoformat(since), end=datetime.fromisoformat(until))
    else:
        window = services.window_until(ReportSchedule.objects.get(pk=schedule_id), _enqueued_at(self))
    show = harmless(self.progress)
    what = f"schedule {schedule_id}"
    report = services.make_now(
        schedule_id, window, now=timezone.now(), progress=lambda done, rows: show(min(done, rows), rows, what)
    )
    return {"report": report.pk, "status": report.status, "rows": report.rows, "reason": report.reason}


@shared_task(
    base=EmailTask,
    name="send_report_disabled_email",
    idempotency_key=lambda schedule_id, at, **_: f"{schedule_id}:{at}",
    idempotency_scope="tenant",
    idempotency_ttl=MAIL_TTL,
)
def send_report_disabled_email(self: EmailTask, schedule_id: int, at: str, reason: str) -> dict[str, int]:
    """Tell who owns a schedule that it was disabled at the instant `at`, ISO 8601, and why."""
    mail = services.disabled_mail(schedule_id, at=at, reason=reason)
    return {"recipients": self.send_mail(mail) if mail else 0}


@shared_task(base=MaintenanceTask, repeatable=True, name="cleanup_sent_reports")
def cleanup_sent_reports(self: MaintenanceTask) -> dict[str, int]:
    """Remove reports that were made before REPORTS_KEPT_DAYS and wait for nothing, and files without a report."""
    cleaned = services.clean_up(now=self.firing or timezone.now(), kept=timedelta(days=settings.REPORTS_KEPT_DAYS))
    return {
        "reports": cleaned.reports,
        "files": cleaned.files,
        "orphans": cleaned.orphans,
        "failed": cleaned.failed,
    }


def enqueue_disabled_mail(disabled: services.Disabled) -> None:
    """Enqueue the mail on behalf of the schedule's tenant, and as part of the transaction that disables it."""
    with context.using(tenant_id=disabled.tenant_id):
        send_report_disabled_email.delay(
            schedule_id=disabled.schedule_id, at=disabled.at.isoformat(), reason=disabled.reason
        )


def _enqueued_at(task: ReportTask) -> datetime:
    """When the job was enqueued: the same for a second delivery and for a retry, so that they make one report."""
    seconds = (task.request.headers or {}).get(context.FIRST_READY_AT_HEADER)
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else timezone.now()
