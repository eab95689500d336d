"""What is reported when to whom, and the reports that were made."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from apps.organization.models import Person, Site, Tenant, validate_timezone

from .recipients import foreign_positions
from .windows import BadRhythmError, Rhythm


class Format(models.TextChoices):
    PDF = "PDF"
    XLSX = "XLSX"
    CSV = "CSV"
    HTML = "HTML"
    JSON = "JSON"


class ReportSchedule(models.Model):
    """A report that is made again and again, each time about the window since its last firing."""

    class Type(models.TextChoices):
        TASK_SUMMARY = "TASK_SUMMARY"
        TOUR_SUMMARY = "TOUR_SUMMARY"
        PPM_SUMMARY = "PPM_SUMMARY", "PPM summary"
        TICKET_LIST = "TICKET_LIST"
        TICKET_SLA = "TICKET_SLA", "Ticket SLA"
        ASSET_STATUS = "ASSET_STATUS"
        SITE_VISIT = "SITE_VISIT"

    class WorkingDays(models.IntegerChoices):
        MONDAY_TO_FRIDAY = 5
        MONDAY_TO_SATURDAY = 6

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="report_schedules")
    site = models.ForeignKey(
        Site, on_delete=models.CASCADE, null=True, blank=True, related_name="report_schedules", help_text="None: all."
    )
    owner = models.ForeignKey(
        Person,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="report_schedules",
        help_text="Is told when the schedule is disabled because it keeps failing.",
    )
    type = models.CharField(max_length=16, choices=Type)
    name = models.CharField(max_length=200)
    cron = models.CharField(max_length=100, help_text="When a window ends, in the time zone of the schedule.")
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    working_days = models.PositiveSmallIntegerField(
        choices=WorkingDays,
        null=True,
        blank=True,
        help_text="A week of so many days, once it has ended; overrides cron.",
    )
    send_at = models.TimeField(help_text="Local time from which the report is mailed.")
    to = ArrayField(models.EmailField(), default=list, help_text="E-mail addresses, separated by commas.")
    cc = ArrayField(models.EmailField(), default=list, blank=True)
    format = models.CharField(max_length=4, choices=Format, default=Format.PDF)
    parameters = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    next_run_at = models.DateTimeField(null=True, blank=True, help_text="The end of the next window.")
    last_window_end = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False, help_text="In a row.")

    class Meta:
        ordering = ["tenant", "name"]
        indexes = [models.Index(name="reportschedule_due", fields=["next_run_at"], condition=Q(enabled=True))]
        permissions = [("run_reportschedule", "Can run a report now")]

    def __str__(self) -> str:
        return self.name

    def save(self, *, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Save it. A new one, a changed rhythm and one that is enabled again are due with the next window to end."""
        if self._begins_anew():
            self.failures = 0
            try:
                self.next_run_at = self.rhythm.next_end(timezone.now())
            except BadRhythmError:
                self.next_run_at = None  # the job finds out, and counts it as a failure
            if update_fields is not None:
                update_fields = {*update_fields, "next_run_at", "failures"}
        super().save(update_fields=update_fields, **options)

    @property
    def rhythm(self) -> Rhythm:
        """When its windows end. Raises BadRhythmError."""
        return Rhythm(cron=self.cron, timezone=self.timezone, working_days=self.working_days)

    def _begins_anew(self) -> bool:
        if self.next_run_at is None:
            return True
        if self._state.adding:
            return False
        same = {"cron": self.cron, "timezone": self.timezone, "working_days": self.working_days}
        before = ReportSchedule.objects.filter(pk=self.pk)
        return not before.filter(**same, **({"enabled": True} if self.enabled else {})).exists()

    def clean(self) -> None:
        if self.site is not None and self.site.tenant_id != self.tenant_id:
            raise ValidationError({"site": "The site belongs to another tenant."})
        if self.owner is not None and self.owner.tenant_id != self.tenant_id:
            raise ValidationError({"owner": "The owner belongs to another tenant."})
        problems = {**self._rhythm_problems(), **self._recipient_problems()}
        if problems:
            raise ValidationError(problems)

    def _rhythm_problems(self) -> dict[str, str]:
        try:
            validate_timezone(self.timezone)
            _ = self.rhythm
        except ValidationError:
            return {}  # the field has a message of its own
        except BadRhythmError as error:
            return {"cron": str(error)}
        return {}

    def _recipient_problems(self) -> dict[str, str]:
        """By position: the addresses stay out of the messages, which may end up in logs."""
        if self.tenant_id is None:
            return {}
        foreign = {name: foreign_positions(self.tenant_id, getattr(self, name) or []) for name in ("to", "cc")}
        return {
            name: f"No. {', '.join(map(str, positions))}: not the address of an active person of the tenant, nor of"
            " somebody in charge of one of its sites. A tenant's reports go to nobody else."
            for name, positions in foreign.items()
            if positions
        }


class GeneratedReport(models.Model):
    """One report about one window: a file, and how far its mail has come."""

    class Status(models.TextChoices):
        READY = "READY"
        SENDING = "SENDING"
        SENT = "SENT"
        FAILED = "FAILED"
        EXPIRED = "EXPIRED"

    WAITING: ClassVar = (Status.READY, Status.SENDING)

    schedule = models.ForeignKey(ReportSchedule, on_delete=models.CASCADE, related_name="reports")
    window_from = models.DateTimeField()
    window_until = models.DateTimeField()  # not part of the window
    format = models.CharField(max_length=4, choices=Format)
    file = models.CharField(
        max_length=300, blank=True, help_text="Below the folder of reports; none where it failed."
    )
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    rows = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=8, choices=Status, default=Status.READY)
    send_at = models.DateTimeField()
    sending_since = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_to = ArrayField(
        models.EmailField(),
        default=list,
        blank=True,
        help_text="Whose mails the mail server has taken, also where it has not taken all of them yet.",
    )
    reason = models.CharField(max_length=500, blank=True, help_text="Why it failed or expired.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-window_until", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "window_from", "window_until", "format"], name="generatedreport_once"
            ),
            models.CheckConstraint(name="generatedreport_window", condition=Q(window_until__gt=F("window_from"))),
        ]
        indexes = [
            models.Index(
                name="generatedreport_waiting", fields=["send_at"], condition=Q(status__in=["READY", "SENDING"])
            ),
            models.Index(name="generatedreport_created", fields=["created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} {self.window_from:%Y-%m-%d}"

    @property
    def is_empty(self) -> bool:
        return self.rows == 0
