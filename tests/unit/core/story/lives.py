"""Jobs in situations, made by hand."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.core.broker.whereabouts import Place, Whereabouts
from apps.core.dead_letters.models import DeadLetter
from apps.core.idempotency import Record
from apps.core.outbox.models import OutboxMessage
from apps.core.runs.models import JobRun
from apps.core.story import Story

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
OWNER = "owner-1"


def seconds(after: float = 0) -> float:
    return NOW.timestamp() + after


def message(task: str = "send_mail", **headers: Any) -> bytes:
    return json.dumps({"headers": {"id": "job-1", "task": task, **headers}, "properties": {}}).encode()


def place(kind: Any, *, text: bytes | None = None, queue: str = "email", **facts: Any) -> Place:
    return Place(kind=kind, queue=queue, text=text or message(), **facts)


def where(*places: Place, revoked_at: float | None = None, complete: bool = True) -> Whereabouts:
    return Whereabouts(places=places, revoked_at=revoked_at, history=(), complete=complete)


def waiting(ahead: int = 3, **headers: Any) -> Whereabouts:
    return where(place("waiting", ahead=ahead, text=message(**headers)))


def delayed(after: float = 60, **headers: Any) -> Whereabouts:
    return where(place("delayed", due=seconds(after), text=message(**headers)))


def leased(*, alive: bool = True) -> Whereabouts:
    return where(place("leased", owner=OWNER, owner_alive=alive))


def told(**facts: Any) -> Story:
    facts.setdefault("whereabouts", where())
    return Story(**{"job": "job-1", "at": NOW, **facts})


def run(event: str, *, ago: float = 60, **facts: Any) -> JobRun:
    ended = NOW - timedelta(seconds=ago)
    made = {"job": "job-1", "task": "send_mail", "queue": "email", "attempt": 1, "ended_at": ended}
    return JobRun(event=event, **{**made, **facts})


def letter(**facts: Any) -> DeadLetter:
    made = {"reason": "permanent", "error": "ValueError", "attempts": 1, "message": message(), "last_at": NOW}
    return DeadLetter(**{"pk": 12, "task": "send_mail", "queue": "email", **made, **facts})


def row(**facts: Any) -> OutboxMessage:
    made = {"queue": "email", "message": message().decode(), "due": 0.0, "durable": False}
    return OutboxMessage(**{"created_at": NOW - timedelta(seconds=90), **made, **facts})


def key(state: str, job: str) -> Record:
    return Record(key="k", fields={"state": state, "job": job}, seconds_to_live=60, owner_alive=True)
