"""The jobs of media."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.core import context
from apps.core.exceptions import PermanentError
from apps.core.sweeps import SweepOutcome
from apps.core.tasks import MaintenanceTask

from . import services

HOUR = 3600
BUDGET_SECONDS = HOUR  # then the rest of a job's files goes on as a new job
AT_ONCE = 100  # jobs that are enqueued together
COUNTS = ("scanned", "moved", "skipped", "failed", "bytes", "cleared")


@shared_task(
    base=MaintenanceTask,
    name="move_media_to_cloud_storage",
    repeatable=True,
    soft_time_limit=2 * HOUR,
    time_limit=3 * HOUR,
)
def move_media_to_cloud_storage(self: MaintenanceTask, now_iso: str | None = None) -> dict[str, int]:
    """Enqueue jobs that move what is old enough at the firing instant: all of them, or none where it fails."""
    now = datetime.fromisoformat(now_iso) if now_iso else self.firing or timezone.now()
    counts = {"scanned": 0, "jobs": 0}
    with transaction.atomic():
        due = services.due_portions(now, settings.MEDIA_KEPT_LOCAL_DAYS)
        for tenant_id, portions in groupby(due, key=lambda portion: portion.tenant_id):
            while some := list(islice(portions, AT_ONCE)):
                enqueue(self, tenant_id, some)
                counts["scanned"] += sum(len(portion.ids) for portion in some)
                counts["jobs"] += len(some)
    return counts


@shared_task(
    base=MaintenanceTask,
    name="move_media_files",
    repeatable=True,
    max_retries=5,
    default_retry_delay=300,
    soft_time_limit=6 * HOUR,
    time_limit=7 * HOUR,
)
def move_media_files(ids: list[int]) -> dict[str, Any]:
    """Move these files of the tenant for whom the job runs."""
    tenant_id = context.current().tenant_id
    if tenant_id is None:
        raise PermanentError("move_media_files runs for a tenant: enqueue it in `with context.using(tenant_id=…)`.")
    outcome = services.move(ids, tenant_id=int(tenant_id), now=timezone.now(), budget_seconds=BUDGET_SECONDS)
    if outcome.resume_after is not None and (rest := [each for each in ids if each > outcome.resume_after]):
        move_media_files.delay(ids=rest)
    return _result(outcome)


def enqueue(task: MaintenanceTask, tenant_id: int, portions: Iterable[services.Portion]) -> None:
    """Enqueue a job for each portion, on behalf of the tenant."""
    app: Any = task.app
    with context.using(tenant_id=tenant_id):
        app.enqueue_many(move_media_files.si(ids=list(portion.ids)) for portion in portions)


def _result(outcome: SweepOutcome) -> dict[str, Any]:
    counts = {name: outcome.counts[name] for name in COUNTS}
    return {**counts, "errors": outcome.errors, "resume_after": outcome.resume_after}
