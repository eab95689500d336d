"""Jobs that are enqueued and not yet known to be on the broker; durable ones stay until they are done."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class OutboxMessage(models.Model):
    """Written in the enqueuer's transaction by rows.py, and read by the relay."""

    job = models.TextField()
    task = models.TextField()
    queue = models.TextField()
    list = models.TextField()  # on the broker
    message = models.TextField()  # JSON, as it is published
    tag = models.TextField(unique=True)  # the message's delivery tag
    due = models.FloatField()  # seconds since the epoch; 0: at once
    durable = models.BooleanField()
    unique_key = models.TextField(null=True)  # noqa: DJ001 - "" would be a key; while it exists, no other job is enqueued under it
    created_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True)  # of a durable job, as far as the relay knows

    class Meta:
        app_label = "bgjobs"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["job"], condition=Q(durable=True), name="outbox_durable_job"),
            models.UniqueConstraint(
                fields=["unique_key"], condition=Q(unique_key__isnull=False), name="outbox_unique_key"
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(published_at__isnull=True), name="outbox_pending")]

    def __str__(self) -> str:
        return f"{self.task} {self.job}"
