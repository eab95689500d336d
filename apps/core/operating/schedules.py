"""Firing, pausing and resuming entries of the timetable."""

from datetime import UTC, datetime
from uuid import UUID

from celery import current_app

from ..actions import Actor, Done
from ..exceptions import DeclarationError
from ..models import OperatorAction
from ..queues import nearest
from ..schedules import pausing
from ..schedules.fire import fire
from ..schedules.models import ScheduleState
from ..schedules.plan import Plan, plans_of
from .acting import act
from .errors import RefusedError
from .spans import checked, for_so_long, until


def fire_entry(entry: str, *, actor: Actor, reason: str, request_id: UUID | None = None) -> OperatorAction:
    """Fire an entry now, whenever it is due and whether it is paused or not."""

    def work() -> Done:
        now = datetime.now(UTC)
        job = fire(current_app, plan_named(entry), due=now, now=now, manual=True)
        if job is None:
            return Done(affected=0, detail=f"{entry} has a job with the same key, which waits or runs.")
        return Done(affected=1, detail=f"Fired {entry}: job {job}.")

    return act(
        "fire-entry",
        work,
        actor=actor,
        target=entry,
        reason=reason,
        request_id=request_id,
        prepare=lambda: int(bool(plan_named(entry))),
    )


def pause_entry(
    entry: str, *, seconds: float = 0, actor: Actor, reason: str, request_id: UUID | None = None
) -> OperatorAction:
    """Let no instant of an entry be fired, for `seconds` or, with 0, until it is resumed.

    Each is recorded as paused, and none is caught up. A pause of a paused entry takes the place of the earlier one.
    """

    def prepare() -> int:
        plan_named(entry)
        if seconds:
            checked(seconds, least=0)
        return 1

    def pause() -> Done:
        now = datetime.now(UTC)
        ends = pausing.pause(plan_named(entry), seconds=seconds, by=actor.name, why=reason, now=now)
        return Done(affected=1, detail=f"{entry} is paused {until(ends)}.")

    target = f"{entry}{for_so_long(seconds)}"
    return act(
        "pause-entry", pause, actor=actor, target=target, reason=reason, request_id=request_id, prepare=prepare
    )


def resume_entry(entry: str, *, actor: Actor, reason: str, request_id: UUID | None = None) -> OperatorAction:
    """End the pause of an entry. One that is not paused says so: nothing is affected."""

    def prepare() -> int:
        if not ScheduleState.objects.filter(name=entry).exists():  # of one that is gone the pause may still stand
            plan_named(entry)
        return 1

    def resume() -> Done:
        was_paused = pausing.resume(entry, now=datetime.now(UTC))
        return Done(
            affected=int(was_paused), detail=f"{entry} goes on." if was_paused else f"{entry} was not paused."
        )

    return act(
        "resume-entry", resume, actor=actor, target=entry, reason=reason, request_id=request_id, prepare=prepare
    )


def plan_named(entry: str) -> Plan:
    """Raises RefusedError, which names the nearest entry."""
    try:
        plans = plans_of(current_app)
    except DeclarationError as error:
        raise RefusedError(f"The timetable cannot be read: {error}") from None
    if entry not in plans:
        raise RefusedError(f"The timetable has no entry {entry!r}; {nearest(entry, plans)}")
    return plans[entry]
