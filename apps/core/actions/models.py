"""The audit: one row per action, written before it runs, and never changed once it has ended.

The database refuses the same by a trigger (migration 0007), for whoever goes past these classes.
"""

import uuid
from typing import Any, Final, NoReturn

from django.db import models

from .catalogue import PERMISSIONS

APPEND_ONLY: Final = "The audit is append-only."


class AuditRows(models.QuerySet["OperatorAction"]):
    """Rows to be read. Emptying the whole table, as tests do, is left to whoever owns the database."""

    def update(self, **_: Any) -> NoReturn:
        raise TypeError(APPEND_ONLY)

    def delete(self) -> NoReturn:
        raise TypeError(APPEND_ONLY)

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(APPEND_ONLY)


class OperatorAction(models.Model):
    class Result(models.TextChoices):
        STARTED = "started"  # what a process leaves that died half-way
        DONE = "done"
        FAILED = "failed"

    request_id = models.UUIDField(unique=True, default=uuid.uuid4)  # the same request acts once
    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=50)
    target = models.TextField()
    reason = models.TextField()
    expected = models.PositiveIntegerField(null=True)  # how many things it was to affect; null: unknown
    affected = models.PositiveIntegerField(null=True)  # how many it did
    result = models.CharField(max_length=7, choices=Result, default=Result.STARTED)
    detail = models.TextField(blank=True)  # what has come of it, or why it failed, in a sentence

    objects = AuditRows.as_manager()

    class Meta:
        app_label = "bgjobs"
        ordering = ["-at"]
        default_permissions = ("view",)
        permissions = [(codename, f"May {words}") for codename, words in PERMISSIONS.items()]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.action} {self.target}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(APPEND_ONLY)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(APPEND_ONLY)

    def end(self, result: Result, *, affected: int | None = None, detail: str = "") -> None:
        """Note how the action ended; only the process that runs it does, and only once."""
        self.result, self.affected, self.detail = result, affected, detail
        models.QuerySet(type(self)).filter(pk=self.pk, result=self.Result.STARTED).update(
            result=result, affected=affected, detail=detail
        )
