from datetime import timedelta
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.operations.cron import CronError, check_cron
from apps.organization.models import Asset, Group, Person, Site

from .assignee import ONE_ASSIGNEE, belongs_to_site, require_one_assignee

LONGEST_NOTICE: Final = 30 * 24 * 60  # minutes; nothing is planned further ahead


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
    remind_minutes = models.PositiveIntegerField(
        default=60,
        validators=[MaxValueValidator(LONGEST_NOTICE)],
        help_text="How long before its time people are reminded by mail; 0: they are not.",
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
    # The fingerprint of all that its occurrences were planned by; empty where none are planned.
    planned_as = models.CharField(max_length=64, default="", blank=True, editable=False)

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
        require_one_assignee(self)
        site = getattr(self, "site", None)  # a form that names none has said so already
        if site is not None:
            belongs_to_site(self, site)
        self._clean_checkpoint()
        self._clean_times()

    def _clean_checkpoint(self) -> None:
        if self.parent is None:
            return
        if self.parent.site_id != self.site_id:
            raise ValidationError({"parent": "A checkpoint is on the site of its tour."})
        if self.parent.parent_id is not None or self.parent_id == self.pk:
            raise ValidationError({"parent": "This is a checkpoint itself; choose a tour."})
        if self.cron:
            raise ValidationError({"cron": "A checkpoint has none: it is due when its tour is."})

    def _clean_times(self) -> None:
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            raise ValidationError({"valid_until": "It ends before it begins."})
        if self.cron:
            try:
                check_cron(self.cron)
            except CronError as error:
                raise ValidationError({"cron": str(error)}) from error
