"""What went wrong with firings, as the table tells it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q, QuerySet

from .firings import next_firing
from .models import Firing, ScheduleState
from .plan import Plan

LATE: Final = timedelta(seconds=60)  # beats look once a second; then somebody has to start the job

Outcome = Firing.Outcome


def never_ran(since: datetime) -> QuerySet[Firing]:
    """Firings due after `since` that were missed, could not be enqueued, or whose jobs were dropped unstarted."""
    lost = [Outcome.MISSED, Outcome.EXPIRED, Outcome.REVOKED, Outcome.FAILED]
    return Firing.objects.filter(due__gt=since, started_at=None, outcome__in=lost)


def late(since: datetime, now: datetime, by: timedelta = LATE) -> QuerySet[Firing]:
    """Firings due after `since` whose jobs started more than `by` after their instant, or still have not."""
    waits = Q(started_at=None, outcome=Outcome.ENQUEUED, due__lt=now - by)
    started = Q(started_at__gt=F("due") + by)
    return Firing.objects.filter(waits | started, due__gt=since)


def overdue(plans: Iterable[Plan], now: datetime, by: timedelta = LATE) -> dict[str, datetime]:
    """Entries of which a due instant has passed by more than `by` and no beat has seen to it: the instant, by name.

    An entry that no beat has ever seen is not among them.
    """
    settled = dict(ScheduleState.objects.values_list("name", "settled"))
    first = {plan.name: next_firing(plan.schedule, settled[plan.name]) for plan in plans if plan.name in settled}
    return {name: instant for name, instant in first.items() if instant < now - by}
