"""Occurrences that expired while they were open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection

from .models import JobNeed

# Written as SQL because it is read once for each occurrence: to build it anew would take longer than to run it.
_LOCK: Final = Path(__file__).with_suffix(".sql").read_text()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A locked occurrence and what was planned for the case that it expires."""

    jobneed_id: int
    status: str
    planned_at: datetime
    asset_id: int | None
    assignee_person_id: int | None
    assignee_group_id: int | None
    name: str  # of the job, as are category, priority and on_expiry
    category: str
    priority: str
    on_expiry: str
    site_id: int
    tenant_id: int
    timezone: str  # the site's
    in_charge: list[str]  # e-mail addresses, as entered
    checkpoints: list[str]  # their statuses
    checklist: list[bool]  # of each line, whether it is done
    admin_emails: list[str]  # of the tenant's active admins, as entered

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def overdue_ids(now: datetime, after: int, limit: int) -> Sequence[int]:
    """Open root occurrences of active tenants with `expires_at <= now` and an id above `after`, ascending."""
    rows = JobNeed.objects.filter(
        parent=None, status__in=JobNeed.OPEN, expires_at__lte=now, pk__gt=after, site__tenant__is_active=True
    )
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def lock_overdue(jobneed_id: int, now: datetime) -> Overdue | None:
    """Take an occurrence's lock where it is still open and expired, and nobody else holds it; else None.

    The same statement reads the rest. A checkpoint that is reported between its snapshot and the lock counts as
    reported after the close, which does not overwrite it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"jobneed_id": jobneed_id, "now": now, "open": list(JobNeed.OPEN)})
        row = cursor.fetchone()
        return Overdue(**dict(zip((column.name for column in cursor.description), row, strict=True))) if row else None
