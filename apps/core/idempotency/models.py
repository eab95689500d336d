"""What durable jobs have done: written in the transaction that did it."""

from django.db import models
from django.db.models.functions import Now


class IdempotencyRecord(models.Model):
    """Two facts, each true at most once: this job is done, and a job with this key is done."""

    job = models.TextField(primary_key=True)
    key = models.TextField(unique=True, null=True)  # noqa: DJ001 - null: another job has its key by now
    task = models.TextField()
    result = models.TextField()  # as result.py encodes it
    completed_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()  # until then it answers duplicates

    class Meta:
        app_label = "bgjobs"
        default_permissions = ("view",)
        indexes = [models.Index(fields=["completed_at"], name="record_completed_at")]

    def __str__(self) -> str:
        return f"{self.task} {self.job}"
