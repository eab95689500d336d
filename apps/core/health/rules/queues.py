"""What waits for too long."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from ...broker.depths import Pause
from ..lateness import cause_and_remedy, late_since
from ..problem import Problem
from ..queue_health import QueueHealth
from ..snapshot import Snapshot
from ..words import clock, some

SOON: Final = 1.0  # seconds within which somebody comes for a message, whoever was woken


def of_queues(snapshot: Snapshot) -> Iterator[Problem]:
    none_runs = tuple(_no_workers(snapshot))
    yield from none_runs
    for one in snapshot.queues:
        if one.status.pause is not None:
            yield _paused(one, one.status.pause, snapshot)  # which explains all else
            continue
        # Nobody serves it: that says of each queue what is said of all already, and else that it is late, too.
        unserved = () if none_runs else tuple(_without_consumer(one, snapshot))
        yield from unserved or _over_sla(one, snapshot)


def _no_workers(snapshot: Snapshot) -> Iterator[Problem]:
    waiting = [one for one in snapshot.queues if one.status.pause is None and _waits(one)]
    if snapshot.workers is None or any(worker.alive for worker in snapshot.workers) or not waiting:
        return
    since = _since(max((one.status.oldest_age_seconds or 0.0 for one in waiting), default=0.0), snapshot)
    jobs = sum(one.status.ready or 0 for one in waiting)
    yield Problem(
        code="no_workers",
        severity="critical",
        since=since,
        message=f"No worker runs, and {some(jobs, 'job has', 'jobs have')} waited since {clock(since, snapshot.at)} "
        f"in {', '.join(one.name for one in waiting)}",
        hint="Start the workers; they go on by themselves.",
    )


def _without_consumer(one: QueueHealth, snapshot: Snapshot) -> Iterator[Problem]:
    if one.status.serve != 0 or not _waits(one):
        return
    if any(worker.alive and worker.serves(one.name) for worker in snapshot.workers or ()):
        return  # they are full of another queue's jobs, and have said that they serve this one
    since = _since(one.status.oldest_age_seconds or 0.0, snapshot)
    cause, remedy = cause_and_remedy(one, snapshot)
    late = late_since(one, snapshot.at)
    yield Problem(
        code="queue_without_consumer",
        severity="critical",
        queue=one.name,
        since=late or since,
        message=_late(one, late, snapshot)
        if late
        else f"{some(one.status.ready or 0, 'job has', 'jobs have')} waited in {one.name} "
        f"since {clock(since, snapshot.at)}",
        cause=cause,
        hint=f"{remedy} One that is full of another queue's jobs needs more slots."
        if cause == "no worker serves it" and not _all_have_cards(snapshot)
        else remedy,
    )


def _over_sla(one: QueueHealth, snapshot: Snapshot) -> Iterator[Problem]:
    late = late_since(one, snapshot.at)
    if late is None:
        return
    cause, remedy = cause_and_remedy(one, snapshot)
    yield Problem(
        code="queue_over_sla",
        severity="critical",
        queue=one.name,
        since=late,
        message=_late(one, late, snapshot),
        cause=cause,
        hint=remedy,
    )


def _paused(one: QueueHealth, pause: Pause, snapshot: Snapshot) -> Problem:
    late = late_since(one, snapshot.at)
    by, separator, why = pause.why.partition(": ")
    who = f"{by} paused it: {why}" if separator else f"it is paused: {by}" if late else by
    until = "" if pause.until is None else f" until {clock(datetime.fromtimestamp(pause.until, UTC), snapshot.at)}"
    waiting = f", and {some(one.status.ready, 'job waits', 'jobs wait')}" if one.status.ready else ""
    return Problem(
        code="queue_paused",
        severity="critical" if late else "warning",
        queue=one.name,
        since=late,
        message=_late(one, late, snapshot) if late else f"{one.name} is paused{until}{waiting}",
        cause=who,
        hint=f"Resume {one.name}: manage.py jobs resume {one.name} --reason …",
        action="resume",
        target=one.name,
    )


def _late(one: QueueHealth, since: datetime, snapshot: Snapshot) -> str:
    age, allowed = one.status.oldest_age_seconds or 0.0, one.queue.sla_seconds
    waits = f"{age:.1f} s of {allowed:g} s" if age < 600 else f"{age / 60:.0f} min of {allowed:g} s"
    return f"{one.name} has been late since {clock(since, snapshot.at)} (oldest waits {waits})"


def _waits(one: QueueHealth) -> bool:
    """Something waits that a worker would have come for."""
    age = one.status.oldest_age_seconds
    return bool(one.status.ready) and (age is None or age >= SOON)


def _since(age: float, snapshot: Snapshot) -> datetime:
    return snapshot.at - timedelta(seconds=age)


def _all_have_cards(snapshot: Snapshot) -> bool:
    return all(worker.card is not None for worker in snapshot.workers or () if worker.alive)
