"""What went wrong with firings, as the table tells it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import connections
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.utils import DEFAULT_DB_ALIAS

from .firings import next_firing
from .models import Firing, ScheduleState
from .plan import Plan

LATE: Final = timedelta(seconds=60)  # beats look once a second; then somebody has to start the job

FEWEST_RUNS: Final = 5  # of which a percentile is told

Outcome = Firing.Outcome

RUN_SECONDS: Final = """
    SELECT entry, percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - started_at))
    FROM bgjobs_firing
    WHERE outcome = %s AND due > %s AND started_at IS NOT NULL
    GROUP BY entry
    HAVING count(*) >= %s
"""


def never_ran(since: datetime) -> QuerySet[Firing]:
    """Firings due after `since` that were missed, could not be enqueued, or whose jobs were dropped unstarted.

    A later one that somebody has asked for and that has succeeded makes up for them.
    """
    lost = [Outcome.MISSED, Outcome.EXPIRED, Outcome.REVOKED, Outcome.FAILED]
    by_hand = Firing.objects.filter(
        entry=OuterRef("entry"), due__gt=OuterRef("due"), manual=True, outcome=Outcome.SUCCEEDED
    )
    return Firing.objects.filter(~Exists(by_hand), due__gt=since, started_at=None, outcome__in=lost)


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


def run_seconds(since: datetime) -> dict[str, float]:
    """By entry: the 95th percentile of its jobs' run times, of those due after `since` that have succeeded.

    From the start of the first attempt to the end of the last, waits for retries included. Entries with fewer runs
    than FEWEST_RUNS are left out. Raises django.db.Error.
    """
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(RUN_SECONDS, [Outcome.SUCCEEDED, since, FEWEST_RUNS])
        return {entry: float(seconds) for entry, seconds in cursor.fetchall()}
