"""What reports do for others: the front page of this app."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from apps.core import context
from apps.organization.tenancy import visible

from .cleanup import Cleaned, clean_up
from .disabled_mail import disabled_mail
from .due import Disabled, Outcome, make_due
from .making import make_now
from .models import ReportSchedule
from .windows import Window, until_now

__all__ = [
    "Cleaned",
    "Disabled",
    "Outcome",
    "clean_up",
    "disabled_mail",
    "make_due",
    "make_now",
    "run_now",
    "window_until",
]


def run_now(schedule_id: int, user: Any, *, now: datetime | None = None) -> str:
    """Enqueue the report about the time since the last window's end, which `user` asks for. Returns the job's id.

    The window is fixed here, so that a job which runs twice makes one report. Raises PermissionDenied without the
    permission, ReportSchedule.DoesNotExist for what the user must not see, and BadRhythmError.
    """
    from .tasks import run_report_now  # the jobs call these services

    if not user.has_perm("reports.run_reportschedule"):
        raise PermissionDenied
    schedule = visible(ReportSchedule.objects.filter(tenant__is_active=True), user, "tenant").get(pk=schedule_id)
    window = window_until(schedule, now or timezone.now())
    with context.using(tenant_id=schedule.tenant_id):
        job = run_report_now.delay(schedule.pk, since=window.start.isoformat(), until=window.end.isoformat())
    return str(job.id)


def window_until(schedule: ReportSchedule, now: datetime) -> Window:
    """The time of which no report has been made yet. Raises BadRhythmError."""
    return until_now(schedule.rhythm, last_window_end=schedule.last_window_end, now=now)
