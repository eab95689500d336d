"""Reports of work done, also ones that reach us late because a phone had been out of reach."""

from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils.timezone import is_naive

from apps.core.exceptions import PermanentError
from apps.core.logs import get_logger

from .models import JobNeed
from .transitions import require_legal

Status = JobNeed.Status
log = get_logger(__name__)


class Performance(StrEnum):
    """What a report of work done changed."""

    RECORDED = "recorded"
    REOPENED = "reopened"  # it had been closed by the system, and was done in time after all
    KNOWN = "known"  # the very same report had come before


class PerformedTooLateError(PermanentError):
    """The work was done after its expiry, so the occurrence stays as it is."""


def record_performance(jobneed_id: int, performed_at: datetime) -> Performance:
    """Complete an occurrence, or a checkpoint, that was performed at `performed_at` (aware).

    Raises PerformedTooLateError where that was not before the expiry, IllegalTransition where its status no
    longer allows it, JobNeed.DoesNotExist for an unknown id, ValueError for a naive time.
    """
    if is_naive(performed_at):
        raise ValueError("performed_at must carry its time zone")
    with transaction.atomic():
        return _record(_locked(jobneed_id), performed_at)


def _locked(jobneed_id: int) -> JobNeed:
    """The occurrence, read under the lock of its root, which the sweep takes too."""
    root_id = JobNeed.objects.values_list(Coalesce("parent_id", "id"), flat=True).get(pk=jobneed_id)
    JobNeed.objects.select_for_update().get(pk=root_id)
    return JobNeed.objects.get(pk=jobneed_id)


def _record(jobneed: JobNeed, performed_at: datetime) -> Performance:
    before = jobneed.status
    if before == Status.COMPLETED and jobneed.performed_at == performed_at:
        return Performance.KNOWN
    require_legal(before, Status.COMPLETED)
    if performed_at >= jobneed.expires_at:
        raise PerformedTooLateError(f"Occurrence {jobneed.pk} was performed after its expiry.")
    jobneed.status = Status.COMPLETED
    jobneed.performed_at = performed_at
    jobneed.closed_by_server = False
    jobneed.save(update_fields=["status", "performed_at", "closed_by_server"])
    if before != Status.AUTO_CLOSED:
        return Performance.RECORDED
    log.info("jobneed.reopened", jobneed_id=jobneed.pk, performed_at=performed_at.isoformat())
    return Performance.REOPENED
