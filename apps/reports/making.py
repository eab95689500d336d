"""Making one report: what its schedule asks for, from the database into a file and a row."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import IntegrityError, connection, transaction

from apps.core.logs import redact

from . import files
from .models import Format, GeneratedReport, ReportSchedule
from .rendering import render
from .types import BadReportError, Scope, content_of
from .windows import Window

Status = GeneratedReport.Status
LONGEST_REASON: Final = 500  # characters that the field has room for
RowProgress = Callable[[int, int], None]  # rows done, rows in all


@contextmanager
def snapshot() -> Iterator[None]:
    """A transaction in which every query sees the same state, so that totals agree with tables.

    Inside another one it sees what that one does: PostgreSQL lets a level be chosen at the beginning only.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def make_report(
    schedule: ReportSchedule,
    window: Window,
    *,
    send_at: datetime,
    now: datetime,
    progress: RowProgress | None = None,
    skipped: int = 0,
) -> GeneratedReport | None:
    """Write the file, and then the row that names it. None where there is a report about this window already.

    Needs a transaction around it. Raises BadReportError where the schedule asks for what there is not.
    """
    if _reports(schedule, window).exclude(status=Status.FAILED).exists():
        return None
    content = content_of(schedule.type, scope_of(schedule, window, now=now, skipped=skipped))
    format_ = _format(schedule)
    written = files.write(
        tenant_id=schedule.tenant_id,
        schedule_id=schedule.pk,
        window_end=window.end,
        suffix=f".{format_.lower()}",
        fill=lambda path: render(content, format_, path, progress=progress),
    )
    return _record(
        schedule,
        window,
        now=now,
        send_at=send_at,
        status=Status.READY,
        file=written.file,
        sha256=written.sha256,
        size=written.size,
        rows=content.row_count,
    )


def make_now(
    schedule_id: int, window: Window, *, now: datetime, progress: RowProgress | None = None
) -> GeneratedReport:
    """Make a report beside the schedule, which stays as it is; it is ready to be mailed at once.

    The second time it is the report that was made the first time. What the schedule asks for in vain becomes a report
    that says so. Raises ReportSchedule.DoesNotExist, also for a tenant that is not active, and OSError.
    """
    schedules = ReportSchedule.objects.filter(tenant__is_active=True).select_related("tenant", "site")
    try:
        with snapshot():
            schedule = schedules.get(pk=schedule_id)
            made = make_report(schedule, window, send_at=now, now=now, progress=progress)
    except BadReportError as error:
        schedule = schedules.get(pk=schedule_id)
        made = record_failed(schedule, window, reason=redact(str(error)), now=now)
    except IntegrityError:
        made = None  # a second delivery of this job was faster
    return made or _reports(schedule, window).get()


def record_failed(schedule: ReportSchedule, window: Window, *, reason: str, now: datetime) -> GeneratedReport | None:
    """Write the row of a report that cannot be made. None where there is one that was."""
    if _reports(schedule, window).exclude(status=Status.FAILED).exists():
        return None
    return _record(schedule, window, now=now, send_at=now, status=Status.FAILED, reason=reason[:LONGEST_REASON])


def scope_of(schedule: ReportSchedule, window: Window, *, now: datetime, skipped: int = 0) -> Scope:
    """What a report of this schedule is about. Raises BadReportError where the site is another tenant's."""
    site = schedule.site
    if site is not None and site.tenant_id != schedule.tenant_id:
        raise BadReportError("The site belongs to another tenant.")
    window_zone = ZoneInfo(schedule.timezone)
    return Scope(
        title=schedule.name,
        type_name=schedule.get_type_display(),
        tenant_id=schedule.tenant_id,
        tenant_name=schedule.tenant.name,
        site_id=schedule.site_id,
        site_name=str(site) if site else "all",
        window=window,
        window_zone=window_zone,
        zone=site.zone if site else window_zone,
        parameters=schedule.parameters,
        made_at=now,
        skipped=skipped,
    )


def _format(schedule: ReportSchedule) -> Format:
    if schedule.format not in Format.values:
        raise BadReportError(f"There is no format {schedule.format!r}; there are {', '.join(Format.values)}.")
    return Format(schedule.format)


def _reports(schedule: ReportSchedule, window: Window) -> Any:
    return GeneratedReport.objects.filter(
        schedule=schedule, window_from=window.start, window_until=window.end, format=schedule.format
    )


def _record(schedule: ReportSchedule, window: Window, *, now: datetime, **fields: Any) -> GeneratedReport:
    """The row of this window; one that says it failed is written over. What file that had is cleaned up some day."""
    clean: dict[str, Any] = {"file": "", "sha256": "", "size": 0, "rows": 0, "reason": "", "delivered_to": []}
    clean |= {"sending_since": None, "sent_at": None}
    report, _ = GeneratedReport.objects.update_or_create(
        schedule=schedule,
        window_from=window.start,
        window_until=window.end,
        format=schedule.format,
        defaults={**clean, **fields, "created_at": now},
    )
    return report
