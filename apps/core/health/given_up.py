"""Jobs that were given up and of which nobody has disposed yet: open dead letters, by trouble."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Max, Min, Q

from ..dead_letters.models import DeadLetter

NEW_FOR: Final = timedelta(hours=24)  # since a trouble was first seen
LISTED: Final = 10  # troubles, the latest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Letters of one fingerprint that are open."""

    fingerprint: str
    task: str
    error: str
    count: int
    first_at: datetime  # the first of those that are open
    last_at: datetime
    is_new: bool  # none of its letters, open or not, is older than NEW_FOR


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    count: int
    by_reason: Mapping[str, int]  # the most first
    fingerprints: int
    last_hour: int  # letters of the last hour, open or not
    hour_before: int
    latest: tuple[Trouble, ...]  # LISTED at most


def read_given_up(now: datetime) -> GivenUp:
    """The work grows with the open letters and those of two hours, never with the jobs. Raises django.db.Error."""
    letters = DeadLetter.objects.order_by()
    groups = list(
        letters.filter(state=DeadLetter.State.OPEN)
        .values("fingerprint", "reason")
        .annotate(count=Count("pk"), first_at=Min("last_at"), last_at=Max("last_at"), of=Max("task"), by=Max("error"))
    )
    counts: Counter[str] = Counter()
    for group in groups:
        counts[group["reason"]] += group["count"]
    hour = timedelta(hours=1)
    latest = sorted(groups, key=lambda group: group["last_at"], reverse=True)[:LISTED]
    fresh = [group["fingerprint"] for group in latest if group["first_at"] > now - NEW_FOR]
    old = set(
        letters.filter(fingerprint__in=fresh, last_at__lte=now - NEW_FOR)
        .values_list("fingerprint", flat=True)
        .distinct()
    )
    recent = Q(last_at__gt=now - hour)
    hours = letters.filter(last_at__gt=now - 2 * hour).aggregate(last=Count("pk", filter=recent), all=Count("pk"))
    return GivenUp(
        count=counts.total(),
        by_reason=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        fingerprints=len({group["fingerprint"] for group in groups}),
        last_hour=hours["last"],
        hour_before=hours["all"] - hours["last"],
        latest=tuple(
            Trouble(
                fingerprint=group["fingerprint"],
                task=group["of"],
                error=group["by"],
                count=group["count"],
                first_at=group["first_at"],
                last_at=group["last_at"],
                is_new=group["fingerprint"] in fresh and group["fingerprint"] not in old,
            )
            for group in latest
        ),
    )
