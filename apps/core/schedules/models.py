"""The firings that were, and how far each entry of the timetable has come."""

from datetime import datetime

from django.db import models
from django.db.models import Q


class Firing(models.Model):
    """One due instant of an entry: written once, by whichever beat is first, with the outbox row of its job.

    The row is the history: moments are null until they have come. They are those of the beat that fired, and of the
    worker that ran the job.
    """

    class Outcome(models.TextChoices):
        ENQUEUED = "enqueued"  # its job waits
        RUNNING = "running"
        RETRYING = "retrying"  # its job waits for another attempt
        SUCCEEDED = "succeeded"
        FAILED = "failed"  # its job failed for good, or could not be enqueued
        EXPIRED = "expired"  # its job had not started in time, and was dropped
        REVOKED = "revoked"  # its job was cancelled
        SKIPPED = "skipped"  # not fired: the job of an earlier firing had not ended
        MISSED = "missed"  # not fired: no beat ran at its time, and the entry does not catch it up
        PAUSED = "paused"  # not fired: somebody had paused the entry

    entry = models.TextField()
    due = models.DateTimeField()  # of a manual firing: when it was asked for
    manual = models.BooleanField(default=False)
    job = models.TextField(blank=True, default="")  # "": it has none
    outcome = models.CharField(max_length=10, choices=Outcome)
    why = models.TextField(blank=True, default="")  # of an outcome that is no success, in a few words
    enqueued_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)  # the first attempt
    ended_at = models.DateTimeField(null=True)  # since when the outcome is final
    # Until then, unless it ends before, an entry with overlap="skip" is not fired again.
    held_until = models.DateTimeField(null=True)

    class Meta:
        app_label = "bgjobs"
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["entry", "due"], name="firing_once")]
        indexes = [
            models.Index(fields=["job"], condition=~Q(job=""), name="firing_job"),
            models.Index(fields=["due"], name="firing_due"),
            models.Index(fields=["entry"], condition=Q(ended_at__isnull=True), name="firing_unended"),
        ]

    def __str__(self) -> str:
        return f"{self.entry} {self.due:%Y-%m-%d %H:%M} {self.outcome}"


class ScheduleState(models.Model):
    """How far an entry of the timetable has come."""

    name = models.TextField(primary_key=True)
    spec = models.TextField()  # the schedule as text
    since = models.DateTimeField()  # when a beat has first seen this entry with this schedule
    settled = models.DateTimeField()  # instants up to this one have been fired, or recorded as missed or paused
    # Firings that were missed since this row was written. Unlike their rows the number stays, so that it only grows.
    missed = models.BigIntegerField(default=0, db_default=0)
    # The latest pause, if there ever was one. Whoever resumes the entry lets it end then; it is not forgotten, since
    # a beat that was down may still have to see to instants that fell into it.
    paused_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)  # null: until somebody resumes it
    paused_by = models.TextField(blank=True, default="", db_default="")
    paused_why = models.TextField(blank=True, default="", db_default="")

    class Meta:
        app_label = "bgjobs"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name

    def is_paused(self, now: datetime) -> bool:
        """Whatever this machine's clock says of when the pause began."""
        return self.paused_at is not None and (self.paused_until is None or now < self.paused_until)

    def was_paused(self, instant: datetime) -> bool:
        """As far as the latest pause tells."""
        return self.is_paused(instant) and self.paused_at is not None and self.paused_at <= instant
