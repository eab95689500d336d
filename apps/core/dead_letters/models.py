"""Jobs that are not tried again by themselves, each with its message exactly as it was published."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .reasons import REASONS


class DeadLetter(models.Model):
    """One end of one job; a job that is replayed and fails again has another. Absent texts are ""."""

    class State(models.TextChoices):
        OPEN = "open"
        REPLAYED = "replayed"  # enqueued once more
        DISCARDED = "discarded"  # not worth it

    kept_as = models.TextField(unique=True)  # its name in the quarantine, which no other end of a job ever has
    reason = models.CharField(max_length=20, choices=[(reason, reason) for reason in REASONS])
    task = models.TextField(blank=True)
    job = models.TextField(blank=True)
    queue = models.TextField()
    list_name = models.TextField()  # on the broker: the queue's list for the message's priority
    message = models.BinaryField()
    error = models.TextField(blank=True)  # name of the error's class
    error_text = models.TextField(blank=True)  # without secrets, as the traceback
    traceback = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=16)  # the same for the same trouble
    attempts = models.PositiveIntegerField()  # that were begun
    tenant = models.TextField(blank=True)
    correlation_id = models.TextField(blank=True)
    idempotency_key = models.TextField(blank=True)
    history = models.JSONField(default=list)  # of trouble: "<moment> <event> <owner>"
    first_at = models.DateTimeField()  # when its first attempt might have started
    last_at = models.DateTimeField()  # when it was given up
    state = models.CharField(max_length=9, choices=State, default=State.OPEN, db_default=State.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)  # when it was replayed or discarded
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "bgjobs"
        default_permissions = ("view",)
        ordering = ["-last_at", "-id"]
        indexes = [
            models.Index(fields=["-last_at", "-id"], name="dead_letter_latest"),
            models.Index(fields=["id"], condition=Q(state="open"), name="dead_letter_open"),
            models.Index(fields=["fingerprint"], name="dead_letter_fingerprint"),
            models.Index(fields=["job"], name="dead_letter_job"),
        ]

    def __str__(self) -> str:
        return f"{self.task or 'unreadable'} {self.job} ({self.reason})"
