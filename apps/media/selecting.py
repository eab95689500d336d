"""Which files are due to be moved, in portions of a tenant's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from typing import Final

from django.db.models import Q

from .models import MediaFile

PORTION: Final = 200  # files of one job
READ_AT_ONCE: Final = 2000  # rows
Location = MediaFile.Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    tenant_id: int
    ids: tuple[int, ...]  # ascending


def taken_before(now: datetime, kept_days: float) -> datetime:
    """Files taken before this instant are due. A day has 24 hours here, also one on which clocks are changed."""
    return now.astimezone(UTC) - timedelta(days=kept_days)


def due_portions(now: datetime, kept_days: float) -> Iterator[Portion]:
    """What is due at all active tenants: old files that are here, and files that a move has left behind.

    Read as it is asked for, so all of it is to be taken within one transaction.
    """
    due = Q(taken_at__lt=taken_before(now, kept_days)) | Q(location=Location.CLOUD)
    rows = MediaFile.objects.filter(due, local_removed_at=None, tenant__is_active=True).order_by("tenant_id", "pk")
    found = rows.values_list("tenant_id", "pk").iterator(chunk_size=READ_AT_ONCE)
    for tenant_id, files in groupby(found, key=itemgetter(0)):
        ids = (media_id for _, media_id in files)
        while portion := tuple(islice(ids, PORTION)):
            yield Portion(tenant_id=tenant_id, ids=portion)
