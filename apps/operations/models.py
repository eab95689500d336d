"""Planned work: templates, their occurrences, and what is ticked off at each."""

from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.organization.models import Asset, Group, Person, Site

ONE_ASSIGNEE = Q(assignee_person=None, assignee_group__isnull=False) | Q(
    assignee_person__isnull=False, assignee_group=None
)


class Job(models.Model):
    """The template of planned work: what is done where, how often, by whom, and what if it is not."""

    class Kind(models.TextChoices):
        TASK = "TASK"
        INTERNAL_TOUR = "INTERNAL_TOUR"
        EXTERNAL_TOUR = "EXTERNAL_TOUR"
        PPM = "PPM", "Planned preventive maintenance"
        SITE_REPORT = "SITE_REPORT"

    class Priority(models.TextChoices):
        LOW = "LOW"
        MEDIUM = "MEDIUM"
        HIGH = "HIGH"
        CRITICAL = "CRITICAL"

    class OnExpiry(models.TextChoices):
        NONE = "NONE", "Close it"
        NOTIFY = "NOTIFY", "Close it and tell the people in charge"
        RAISE_TICKET = "RAISE_TICKET", "Close it, raise a ticket and tell the people in charge"

    class HolidayPolicy(models.TextChoices):
        KEEP = "KEEP"
        SKIP = "SKIP"
        NEXT_WORKDAY = "NEXT_WORKDAY"

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="jobs")
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, null=True, blank=True, related_name="jobs")
    parent = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="checkpoints",
        help_text="The tour that this is a checkpoint of.",
    )
    seqno = models.PositiveSmallIntegerField(default=0, help_text="A checkpoint's place in its tour.")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.TASK)
    cron = models.CharField(
        max_length=100, blank=True, help_text="When it is due, in the site's time zone; a checkpoint has none."
    )
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    plan_minutes = models.PositiveIntegerField(default=30, help_text="How long the work takes.")
    grace_minutes = models.PositiveIntegerField(default=0, help_text="How late it may start.")
    expiry_minutes = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(1)], help_text="How long after that it is still accepted."
    )
    checklist = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    assignee_person = models.ForeignKey(Person, on_delete=models.RESTRICT, null=True, blank=True, related_name="jobs")
    assignee_group = models.ForeignKey(Group, on_delete=models.RESTRICT, null=True, blank=True, related_name="jobs")
    priority = models.CharField(max_length=8, choices=Priority, default=Priority.MEDIUM)
    category = models.CharField(
        max_length=50, default="Missed work", help_text="The category of a ticket that it raises."
    )
    on_expiry = models.CharField(max_length=12, choices=OnExpiry, default=OnExpiry.NONE)
    holiday_policy = models.CharField(max_length=12, choices=HolidayPolicy, default=HolidayPolicy.KEEP)
    enabled = models.BooleanField(default=True)
    last_generated_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["site", "name", "seqno"]
        constraints = [
            models.CheckConstraint(name="job_one_assignee", condition=ONE_ASSIGNEE),
            models.CheckConstraint(name="job_expires", condition=Q(expiry_minutes__gt=0)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def time_allowed(self) -> timedelta:
        """From the planned moment to the expiry."""
        return timedelta(minutes=self.plan_minutes + self.grace_minutes + self.expiry_minutes)

    def clean(self) -> None:
        if (self.assignee_person is None) == (self.assignee_group is None):
            raise ValidationError("Assign it to a person or to a group: one of the two.")
        belongs_to_site(self, self.site)
        if self.parent is not None and self.parent.site_id != self.site_id:
            raise ValidationError({"parent": "A checkpoint is on the site of its tour."})


class JobNeed(models.Model):
    """One occurrence of a job. The lock on its root row guards it, its checkpoints and its checklist."""

    class Status(models.TextChoices):
        ASSIGNED = "ASSIGNED"
        IN_PROGRESS = "IN_PROGRESS"
        PARTIALLY_COMPLETED = "PARTIALLY_COMPLETED"
        COMPLETED = "COMPLETED"
        AUTO_CLOSED = "AUTO_CLOSED"

    OPEN: ClassVar = (Status.ASSIGNED, Status.IN_PROGRESS)

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="occurrences")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="checkpoints")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="occurrences")
    asset = models.ForeignKey(Asset, on_delete=models.SET_NULL, null=True, blank=True, related_name="occurrences")
    assignee_person = models.ForeignKey(
        Person, on_delete=models.RESTRICT, null=True, blank=True, related_name="occurrences"
    )
    assignee_group = models.ForeignKey(
        Group, on_delete=models.RESTRICT, null=True, blank=True, related_name="occurrences"
    )
    planned_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=20, choices=Status, default=Status.ASSIGNED)
    performed_at = models.DateTimeField(null=True, blank=True)
    closed_by_server = models.BooleanField(default=False)

    class Meta:
        verbose_name = "occurrence"
        ordering = ["-planned_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "planned_at", "parent"], name="jobneed_once", nulls_distinct=False
            ),
            models.CheckConstraint(name="jobneed_one_assignee", condition=ONE_ASSIGNEE),
            models.CheckConstraint(name="jobneed_expires_after_start", condition=Q(expires_at__gt=F("planned_at"))),
        ]
        indexes = [
            # What the sweep walks: open roots by id, with the expiry at hand. Closed ones leave the index.
            models.Index(
                name="jobneed_open_roots",
                fields=["id", "expires_at"],
                condition=Q(parent=None, status__in=["ASSIGNED", "IN_PROGRESS"]),
            ),
            models.Index(name="jobneed_by_plan", fields=["-planned_at", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.planned_at:%Y-%m-%d %H:%M} UTC"

    def clean(self) -> None:
        if (self.assignee_person is None) == (self.assignee_group is None):
            raise ValidationError("Assign it to a person or to a group: one of the two.")
        belongs_to_site(self, self.site)
        if self.job.site_id != self.site_id:
            raise ValidationError({"job": "It is a job of another site."})


class ChecklistItem(models.Model):
    """A line of an occurrence's checklist, copied from the job when the occurrence was generated."""

    jobneed = models.ForeignKey(JobNeed, on_delete=models.CASCADE, related_name="checklist")
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=200)
    is_done = models.BooleanField(default=False)

    class Meta:
        ordering = ["jobneed", "position"]
        constraints = [models.UniqueConstraint(fields=["jobneed", "position"], name="checklist_position_once")]

    def __str__(self) -> str:
        return self.text


def belongs_to_site(work: Job | JobNeed, site: Site) -> None:
    """Raises ValidationError where the asset is not on the site or the assignee is another tenant's."""
    if work.asset is not None and work.asset.site_id != site.pk:
        raise ValidationError({"asset": "It is on another site."})
    for field in ("assignee_person", "assignee_group"):
        assignee: Person | Group | None = getattr(work, field)
        if assignee is not None and assignee.tenant_id != site.tenant_id:
            raise ValidationError({field: "The assignee belongs to another tenant."})
