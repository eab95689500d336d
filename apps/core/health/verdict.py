"""What is wrong with the jobs, in one sentence. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .problem import Action, Problem, worst_first
from .rules import RULES
from .snapshot import Snapshot
from .words import some

Health = Literal["ok", "degraded", "critical", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    status: Health
    sentence: str  # what is broken, since when, why, and what repairs it
    since: datetime | None
    cause: str
    action: Action | None  # the button that repairs it
    target: str | None  # what that button is pressed for
    problems: tuple[Problem, ...]  # worst first; the sentence is of the first


def verdict(snapshot: Snapshot) -> Verdict:
    found = worst_first(one for rule in RULES for one in rule(snapshot))
    if not found:
        return Verdict(
            status="ok",
            sentence=_all_is_well(snapshot),
            since=None,
            cause="",
            action=None,
            target=None,
            problems=(),
        )
    worst = found[0]
    return Verdict(
        status=_status(snapshot, worst),
        sentence=worst.sentence,
        since=worst.since,
        cause=worst.cause,
        action=worst.action,
        target=worst.target,
        problems=tuple(found),
    )


def _status(snapshot: Snapshot, worst: Problem) -> Health:
    if snapshot.broker.unreachable:
        return "unknown"
    return "critical" if worst.severity == "critical" else "degraded"


def _all_is_well(snapshot: Snapshot) -> str:
    waiting = sum(one.status.ready or 0 for one in snapshot.queues)
    unknown = [*(["workers"] if snapshot.workers is None else []), *snapshot.unknown]
    begin = "All that is known is well" if unknown else "All is well"
    said = f"{begin}: {some(waiting, 'job waits', 'jobs wait')}, none for longer than its queue allows"
    alive = sum(worker.alive for worker in snapshot.workers or ())
    if snapshot.workers is not None:
        said += f", with {some(alive, 'worker', 'workers')}" if alive else ". No worker runs"
    return f"{said}. Not known: {', '.join(unknown)}." if unknown else f"{said}."
