"""Occurrences of planned work, and what is ticked off at each."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from apps.organization.models import Asset, Group, Person, Site

from .assignee import ONE_ASSIGNEE, belongs_to_site, require_one_assignee
from .job import Job


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
    # Added by a person beside what the job plans, so that a change of the job leaves it alone.
    added_by_hand = models.BooleanField(default=False, editable=False)

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
        require_one_assignee(self)
        site = getattr(self, "site", None)  # a form that names none has said so already, as with the job
        job = getattr(self, "job", None)
        if site is not None:
            belongs_to_site(self, site)
        if site is not None and job is not None and job.site_id != site.pk:
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
