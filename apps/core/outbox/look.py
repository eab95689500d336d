"""How much of the outbox awaits its publication, and for how long."""

from dataclasses import dataclass

from django.db.models import Count, Min
from django.utils import timezone

from . import rows


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLook:
    pending: int  # rows that were not published, as far as a relay has looked
    oldest_age_seconds: float | None  # None: nothing is pending
    durable: int  # jobs whose rows are kept until they are done, the pending ones among them


def look() -> OutboxLook:
    """One index is read, however many durable jobs are under way but for their count. Raises django.db.Error."""
    found = rows.table().filter(published_at=None).aggregate(count=Count("id"), oldest=Min("created_at"))
    oldest = found["oldest"]
    return OutboxLook(
        pending=found["count"],
        oldest_age_seconds=None if oldest is None else max((timezone.now() - oldest).total_seconds(), 0.0),
        durable=rows.table().filter(durable=True).count(),
    )
