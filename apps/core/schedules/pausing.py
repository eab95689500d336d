"""Pausing entries of the timetable: their instants are settled without a job, until the time is over.

An instant is settled in the transaction that has read whether its entry is paused, and both that and a pause change
the entry's one row. So a pause holds for every instant that a beat sees to after it.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from .models import ScheduleState
from .plan import Plan


def pause(plan: Plan, *, seconds: float, by: str, why: str, now: datetime) -> datetime | None:
    """Pause an entry, for `seconds` or, with 0, until `resume`. Returns when it ends; None: never by itself.

    A pause of a paused entry takes the place of the earlier one, and goes on from its beginning.
    """
    until = now + timedelta(seconds=seconds) if seconds else None
    with transaction.atomic():
        # An entry that no beat has seen yet has no row: it is settled up to now, as a beat would say.
        ScheduleState.objects.bulk_create(
            [ScheduleState(name=plan.name, spec=plan.spec, since=now, settled=now)], ignore_conflicts=True
        )
        state = ScheduleState.objects.select_for_update().get(name=plan.name)
        if not state.is_paused(now):
            state.paused_at = now
        state.paused_until, state.paused_by, state.paused_why = until, by, why
        state.save(update_fields=["paused_at", "paused_until", "paused_by", "paused_why"])
    return until


def resume(entry: str, *, now: datetime) -> bool:
    """Let the pause of an entry end. Returns whether it was paused. What fell into the pause is not caught up."""
    return bool(ScheduleState.objects.filter(standing(now), name=entry).update(paused_until=now))


def standing(now: datetime) -> Q:
    """States of entries that are paused."""
    return Q(paused_at__isnull=False) & (Q(paused_until=None) | Q(paused_until__gt=now))


def paused(now: datetime) -> dict[str, ScheduleState]:
    """The entries that are paused, by name."""
    return {state.name: state for state in ScheduleState.objects.filter(standing(now))}


def state_of(entry: str) -> ScheduleState | None:
    return ScheduleState.objects.filter(name=entry).first()


def why(state: ScheduleState) -> str:
    """Who paused an entry, and what for, as firings keep it."""
    return f"{state.paused_by}: {state.paused_why}"
