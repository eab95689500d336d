"""The admin of schedules, and of the reports that were made. Reports are made and mailed by the jobs, not here."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from apps.core.logs import get_logger
from apps.organization.local_time import in_zone
from apps.organization.tenant_admin import TenantAdmin

from . import services
from .claims import mail_again
from .downloads import as_download, as_preview
from .file_reading import UnusableFileError
from .models import Format, GeneratedReport, ReportSchedule
from .window_text import window_text
from .windows import BadRhythmError

log = get_logger(__name__)

# A schedule of which these change begins anew, as its save() has it, and so these do.
BEGINNING = {"cron", "timezone", "working_days", "enabled"}
BEGUN = {"next_run_at", "failures"}


@admin.register(ReportSchedule)
class ReportScheduleAdmin(TenantAdmin):
    list_display = ("name", "type", "site", "format", "rhythm", "next_run", "enabled", "failures", "tenant")
    list_filter = ("enabled", "type", "format", "site", "tenant")
    list_select_related = ("site", "tenant")
    search_fields = ("name", "site__code", "site__name")
    autocomplete_fields = ("site", "owner")
    formfield_overrides = {ArrayField: {"widget": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})}}
    readonly_fields = ("next_run", "last_window_end", "failures")
    exclude = ("next_run_at",)
    actions = ("run_now",)

    @admin.display(description="due", ordering="cron")
    def rhythm(self, schedule: ReportSchedule) -> str:
        return f"{schedule.get_working_days_display() or schedule.cron} ({schedule.timezone})"

    @admin.display(description="end of the next window", ordering="next_run_at")
    def next_run(self, schedule: ReportSchedule) -> str:
        return _local(schedule.next_run_at, schedule)

    def has_run_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("reports.run_reportschedule"))

    @admin.action(description="Make a report of the selected schedules now", permissions=["run"])
    def run_now(self, request: HttpRequest, schedules: QuerySet[ReportSchedule]) -> None:
        begun = 0
        for schedule in schedules.order_by("pk"):
            try:
                services.run_now(schedule.pk, request.user)
                begun += 1
            except BadRhythmError as error:
                messages.warning(request, f"{schedule}: {error}")
            except ReportSchedule.DoesNotExist:
                messages.warning(request, f"{schedule}: its tenant is not active.")
        messages.success(request, f"{begun} reports are being made. They are mailed when the next ones are.")

    def save_model(self, request: HttpRequest, obj: ReportSchedule, form: Any, change: bool) -> None:
        """Write the changed fields only: a report may have been made since the page was opened."""
        changed = set(form.changed_data)
        if changed & BEGINNING:
            changed |= BEGUN
        obj.save(**({"update_fields": changed} if change else {}))


@admin.register(GeneratedReport)
class GeneratedReportAdmin(TenantAdmin):
    """To read: the jobs alone change reports, and the clean-up removes them together with their files."""

    tenant_path = "schedule__tenant"
    list_display = ("name", "window", "site", "format", "size_text", "rows", "status", "due", "sent", "reason", "get")
    list_filter = ("status", "format", "schedule__type", "schedule__site", "schedule__tenant")
    list_select_related = ("schedule__site",)
    search_fields = ("schedule__name", "schedule__site__code", "schedule__site__name")
    date_hierarchy = "window_until"
    show_full_result_count = False
    file_facts = ("schedule", "window", "site", "format", "size_text", "rows", "sha256")
    fields = (*file_facts, "status", "reason", "due", "sent", "mailed_to")
    readonly_fields = fields
    actions = ("mail_again",)

    def has_run_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("reports.run_reportschedule"))

    @admin.action(description="Mail the selected reports again that failed or expired", permissions=["run"])
    def mail_again(self, request: HttpRequest, reports: QuerySet[GeneratedReport]) -> None:
        count = mail_again(GeneratedReport.objects.filter(pk__in=reports.values("pk")), now=timezone.now())
        log.info("report.mailed_again", count=count, user_id=request.user.pk)
        messages.success(request, f"{count} reports are mailed when the next ones are.")

    @admin.display(description="report", ordering="schedule__name")
    def name(self, report: GeneratedReport) -> str:
        return report.schedule.name

    @admin.display(ordering="window_until")
    def window(self, report: GeneratedReport) -> str:
        return window_text(report)

    @admin.display(ordering="schedule__site")
    def site(self, report: GeneratedReport) -> str:
        return str(report.schedule.site or "all")

    @admin.display(description="size", ordering="size")
    def size_text(self, report: GeneratedReport) -> str:
        return filesizeformat(report.size) if report.file else ""

    @admin.display(description="to be mailed from", ordering="send_at")
    def due(self, report: GeneratedReport) -> str:
        return _local(report.send_at, report.schedule)

    @admin.display(ordering="sent_at")
    def sent(self, report: GeneratedReport) -> str:
        return _local(report.sent_at, report.schedule)

    @admin.display(description="mailed to")
    def mailed_to(self, report: GeneratedReport) -> str:
        return ", ".join(report.delivered_to) or "nobody yet"

    @admin.display(description="file")
    def get(self, report: GeneratedReport) -> str:
        if not report.file:
            return ""
        address = reverse("admin:reports_generatedreport_download", args=[report.pk])
        return format_html('<a href="{}">Download</a>', address)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        pages = (("download", self.download), ("preview", self.preview))
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"reports_generatedreport_{name}")
            for name, view in pages
        ]
        return own + super().get_urls()

    def download(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        report = self._visible(request, pk)
        try:
            response = as_download(report)
        except UnusableFileError as error:
            raise Http404(str(error)) from error
        log.info("report.downloaded", report_id=report.pk)
        return response

    def preview(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        report = self._visible(request, pk)
        if report.format != Format.HTML:
            raise Http404("There is a preview of HTML only.")
        try:
            return as_preview(report)
        except UnusableFileError as error:
            raise Http404(str(error)) from error

    def _visible(self, request: HttpRequest, pk: int) -> GeneratedReport:
        """The report, where this user may see it. Raises Http404, PermissionDenied."""
        report: GeneratedReport | None = self.get_queryset(request).select_related("schedule").filter(pk=pk).first()
        if report is None:
            raise Http404("There is no such report.")
        if not self.has_view_permission(request, report):
            raise PermissionDenied
        return report


def _local(instant: datetime | None, schedule: ReportSchedule) -> str:
    return in_zone(instant, ZoneInfo(schedule.timezone)) if instant else ""
