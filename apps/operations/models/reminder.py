from django.db import models
from django.db.models import Q

from .jobneed import JobNeed


class Reminder(models.Model):
    """A mail that is due some time before an occurrence is."""

    class Status(models.TextChoices):
        PENDING = "PENDING"
        SENT = "SENT"
        EXPIRED = "EXPIRED"  # the occurrence's time came first
        FAILED = "FAILED"  # after the last attempt

    jobneed = models.ForeignKey(JobNeed, on_delete=models.CASCADE, related_name="reminders")
    remind_at = models.DateTimeField()
    status = models.CharField(max_length=7, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)  # that failed
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-remind_at", "id"]
        constraints = [models.UniqueConstraint(fields=["jobneed", "remind_at"], name="reminder_once")]
        indexes = [
            # What the sweep walks. The others leave the index.
            models.Index(name="reminder_pending", fields=["remind_at", "id"], condition=Q(status="PENDING")),
        ]

    def __str__(self) -> str:
        return f"{self.remind_at:%Y-%m-%d %H:%M} UTC {self.status}"
