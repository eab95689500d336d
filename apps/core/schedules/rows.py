"""The tables of firings: what is written into them, and what is asked of them. Everything raises django.db.Error."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connections, transaction
from django.db.models import F, QuerySet
from django.db.utils import DEFAULT_DB_ALIAS

from . import pausing
from .models import Firing, ScheduleState

# Milliseconds. PostgreSQL ends the transaction of a beat that was stopped in it, or whose machine is gone, so that
# another beat does not wait for it.
LONGEST_PAUSE: Final = 1000
PORTION: Final = 500  # rows in one statement


def remember(specs: Mapping[str, str], now: datetime) -> dict[str, datetime]:
    """Take note of the entries that there are, and forget others. Returns up to when each is settled.

    What is new, or has another schedule than before, is settled up to now. Of several beats at once the first counts.
    """
    states = ScheduleState.objects.all()
    known = dict(states.values_list("name", "spec"))
    new = [name for name in specs if name not in known]
    states.bulk_create(
        [ScheduleState(name=name, spec=specs[name], since=now, settled=now) for name in new], ignore_conflicts=True
    )
    for name, spec in specs.items():
        if known.get(name, spec) != spec:
            states.filter(name=name).exclude(spec=spec).update(spec=spec, since=now, settled=now)
    # A beat with an older timetable must not forget that an entry of a newer one is paused.
    states.exclude(name__in=specs).exclude(pausing.standing(now)).delete()
    settled = dict(ScheduleState.objects.values_list("name", "settled"))
    return {name: settled.get(name, now) for name in specs}  # a beat with another timetable may have forgotten some


def settle(entry: str, instant: datetime) -> None:
    """Note how far an entry has come. Until the transaction ends, others that fire this entry wait."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [str(LONGEST_PAUSE)])
    ScheduleState.objects.filter(name=entry, settled__lt=instant).update(settled=instant)


def write(firing: Firing) -> bool:
    """Whether this was the first row for its entry and instant. A firing with a job is told apart by it."""
    Firing.objects.bulk_create([firing], ignore_conflicts=True)
    return Firing.objects.filter(entry=firing.entry, due=firing.due, job=firing.job).exists()


def write_missed(entry: str, instants: Iterable[datetime], now: datetime, why: str) -> int:
    """`instants`: one at least, oldest first. Those in which the entry was paused are recorded as such.

    Returns how many of them are missed.
    """
    rows = [
        Firing(entry=entry, due=instant, outcome=Firing.Outcome.MISSED, ended_at=now, why=why) for instant in instants
    ]
    with transaction.atomic():
        settle(entry, rows[-1].due)
        state = pausing.state_of(entry)
        for row in rows:
            if state is not None and state.was_paused(row.due):
                row.outcome, row.why = Firing.Outcome.PAUSED, pausing.why(state)
        _count_missed(entry, rows)
        Firing.objects.bulk_create(rows, batch_size=PORTION, ignore_conflicts=True)
    return sum(row.outcome == Firing.Outcome.MISSED for row in rows)


def _count_missed(entry: str, rows: Sequence[Firing]) -> None:
    """Add to the entry's count what no other beat has written; `settle` has made those wait that are about to."""
    known = Firing.objects.filter(entry=entry, due__range=(rows[0].due, rows[-1].due))
    written = set(known.values_list("due", flat=True))
    count = sum(row.outcome == Firing.Outcome.MISSED and row.due not in written for row in rows)
    ScheduleState.objects.filter(name=entry).update(missed=F("missed") + count)


def unended(entry: str, now: datetime) -> QuerySet[Firing]:
    """Firings of an entry whose jobs have not ended, as far as that can be told."""
    return Firing.objects.filter(entry=entry, ended_at=None, held_until__gt=now)


def note(job: str, /, **changes: Any) -> None:
    """Change the row of the firing that a job belongs to, if there is one."""
    Firing.objects.filter(job=job).update(**changes)
