"""The timetable, as it stands: when each entry is due next, how it went last, and what went wrong."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from celery import current_app
from django.db.models import OuterRef, Subquery

from ..schedules import history
from ..schedules.firings import next_firing
from ..schedules.models import Firing, ScheduleState
from ..schedules.plan import Plan, plans_of

LOOKED_AT: Final = timedelta(hours=24)  # an older firing that went wrong is history


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPause:
    until: datetime | None  # None: it lasts until somebody ends it
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLook:
    """An entry of the timetable. None: it was never so."""

    name: str
    task: str
    next_due: datetime
    last_due: datetime | None
    last_outcome: str | None  # of that firing
    last_start: datetime | None
    last_success: datetime | None
    missed: int | None  # firings that were missed since a beat has first seen it
    pause: EntryPause | None
    seen: bool  # some beat knows it


@dataclass(frozen=True, slots=True, kw_only=True)
class TimetableLook:
    """How the timetable stands; `never_ran` and `late` are of the last 24 hours."""

    entries: tuple[EntryLook, ...]
    last_firing: datetime | None  # when any entry was fired last; None: never
    overdue: Mapping[str, datetime]  # by entry: the due instant that no beat has seen to
    never_ran: Mapping[str, int]  # by entry: firings whose job never started
    late: Mapping[str, int]  # by entry: firings whose job started late, or has not started


def read_timetable(now: datetime) -> TimetableLook:
    """Raises DeclarationError where the timetable cannot be read, and django.db.Error."""
    plans = plans_of(current_app)
    states = {state.name: state for state in _states()}
    return TimetableLook(
        entries=tuple(_entry(plan, states.get(name), now) for name, plan in plans.items()),
        last_firing=max((one.last_enqueued for one in states.values() if one.last_enqueued), default=None),
        overdue=history.overdue(plans.values(), now),
        never_ran=Counter(history.never_ran(now - LOOKED_AT).values_list("entry", flat=True)),
        late=Counter(history.late(now - LOOKED_AT, now).values_list("entry", flat=True)),
    )


def _states() -> Any:
    """How far each entry has come, with what its latest firings came to: a few looks into one index for each."""
    firings = Firing.objects.filter(entry=OuterRef("name")).order_by("-due")
    return ScheduleState.objects.annotate(
        last_due=Subquery(firings.values("due")[:1]),
        last_outcome=Subquery(firings.values("outcome")[:1]),
        last_enqueued=Subquery(firings.filter(enqueued_at__isnull=False).values("enqueued_at")[:1]),
        last_start=Subquery(firings.filter(started_at__isnull=False).values("started_at")[:1]),
        last_success=Subquery(firings.filter(outcome=Firing.Outcome.SUCCEEDED).values("ended_at")[:1]),
    )


def _entry(plan: Plan, state: Any, now: datetime) -> EntryLook:
    return EntryLook(
        name=plan.name,
        task=plan.task,
        next_due=next_firing(plan.schedule, now),
        last_due=state and state.last_due,
        last_outcome=state and state.last_outcome,
        last_start=state and state.last_start,
        last_success=state and state.last_success,
        missed=state and state.missed,
        pause=state and _pause(state, now),
        seen=state is not None,
    )


def _pause(state: ScheduleState, now: datetime) -> EntryPause | None:
    if not state.is_paused(now):
        return None
    return EntryPause(until=state.paused_until, by=state.paused_by, why=state.paused_why)
