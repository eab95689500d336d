"""An idempotency key as a page shows it: who holds it, and the shape of what it answers, never the answer itself."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from apps.core.idempotency import durable, records, result
from apps.core.logs import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """What the server knows of it. None: not known, or not to be known in this state."""

    state: str
    job: str
    since: datetime | None
    attempt: str | None
    owner: str | None
    is_alive: bool | None
    seconds_left: float
    result: str | None  # its shape
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableAnswer:
    """What the database answers, whatever the server does."""

    job: str
    completed_at: datetime
    until: datetime
    result: str


def holder_of(key: str) -> Holder | None:
    """Raises redis.RedisError."""
    record = records().look_up(key)
    if record is None:
        return None
    fields = record.fields
    is_running = fields.get("state") == "running"
    since = fields.get("since", "")
    return Holder(
        state=fields.get("state", "unknown"),
        job=fields.get("job", "unknown"),
        since=datetime.fromtimestamp(int(since), UTC) if since.isdigit() else None,
        attempt=fields.get("attempt"),
        owner=fields.get("owner") if is_running else None,
        is_alive=record.owner_alive if is_running else None,
        seconds_left=record.seconds_to_live,
        result=shape_of_stored(fields["result"]) if "result" in fields else None,
        error=redact(f"{fields['error']}: {fields.get('message', '')}") if "error" in fields else None,
    )


def durable_answer(key: str) -> DurableAnswer | None:
    """Raises django.db.Error."""
    record = durable.table().filter(key=key, expires_at__gt=timezone.now()).first()
    if record is None:
        return None
    return DurableAnswer(
        job=record.job,
        completed_at=record.completed_at,
        until=record.expires_at,
        result=shape_of_stored(record.result),
    )


def shape_of_stored(text: str) -> str:
    try:
        stored = result.decode(text)
    except (ValueError, AttributeError):
        return "not readable"
    return f"not kept: {stored.omitted}" if stored.omitted else shape(stored.value)


def shape(value: Any) -> str:
    """What kind of thing it is, and how large."""
    match value:
        case None:
            return "None"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return f"text of {len(value):,} characters"
        case dict():
            return f"an object with {len(value):,} {'name' if len(value) == 1 else 'names'}"
        case list() | tuple():
            return f"a list of {len(value):,}"
        case _:
            return type(value).__name__
