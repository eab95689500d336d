"""Attempts that have ended, whatever way."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class JobRun(models.Model):
    """One attempt of one job. Only the archive writes them, and only the clean-up removes them.

    Absent texts are "", absent numbers and moments null. The newest comes first: every index but those of what is few
    anyway ends with that order, so that no search sorts.
    """

    key = models.TextField(unique=True)  # its worker and lease, which no other attempt ever has
    job = models.TextField(blank=True)
    task = models.TextField(blank=True)
    queue = models.TextField(blank=True)
    event = models.TextField()  # how it ended: metrics/events.py
    reason = models.TextField(blank=True)  # of a failure or retry
    error = models.TextField(blank=True)  # name of the error's class
    error_text = models.TextField(blank=True)  # without secrets
    fingerprint = models.TextField(blank=True)  # as that of a dead letter
    attempt = models.PositiveIntegerField(null=True)  # from 1
    worker = models.TextField(blank=True)  # its node's name; of a lost attempt its owner's, "<host>:<pid>:…"
    pid = models.PositiveBigIntegerField(null=True)
    ready_at = models.DateTimeField(null=True)  # when it might have started
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField()
    wait_seconds = models.FloatField(null=True)
    run_seconds = models.FloatField(null=True)
    args = models.TextField(blank=True)  # for people: masked, without secrets, cut
    kwargs = models.TextField(blank=True)  # likewise
    terms = ArrayField(models.TextField(), default=list)  # words and numbers of the two: terms.py
    tenant = models.TextField(blank=True)
    user = models.TextField(blank=True)
    correlation = models.TextField(blank=True)
    entry = models.TextField(blank=True)  # of the timetable
    firing = models.TextField(blank=True)  # its instant
    idempotency_key = models.TextField(blank=True)
    parent = models.TextField(blank=True)  # the job that enqueued it
    root = models.TextField(blank=True)  # the first of its tree, unless it is that itself
    duplicate_of = models.TextField(blank=True)
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        app_label = "bgjobs"
        default_permissions = ("view",)
        ordering = ["-ended_at", "-id"]
        indexes = [
            models.Index(fields=["ended_at", "id"], name="run_latest"),
            models.Index(fields=["task", "ended_at", "id"], name="run_task"),
            models.Index(fields=["queue", "ended_at", "id"], name="run_queue"),
            models.Index(fields=["tenant", "ended_at", "id"], condition=~Q(tenant=""), name="run_tenant"),
            models.Index(fields=["event", "ended_at", "id"], condition=~Q(event="succeeded"), name="run_event"),
            models.Index(fields=["ended_at", "id"], condition=~Q(error=""), name="run_error"),
            models.Index(
                fields=["fingerprint", "ended_at", "id"], condition=~Q(fingerprint=""), name="run_fingerprint"
            ),
            models.Index(fields=["entry", "ended_at", "id"], condition=~Q(entry=""), name="run_entry"),
            models.Index(fields=["job"], name="run_job"),
            models.Index(fields=["parent"], condition=~Q(parent=""), name="run_parent"),
            models.Index(fields=["idempotency_key"], condition=~Q(idempotency_key=""), name="run_key"),
            # What waits to be sorted into it is read by every search: 1 MB and not 4.
            GinIndex(fields=["terms"], name="run_terms", gin_pending_list_limit=1024),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.job} {self.event}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("The history is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("The history is append-only.")
