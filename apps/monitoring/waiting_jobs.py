"""The jobs of a queue that are claimed next."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from apps.core.broker.messages import UndecodableMessageError, read
from apps.core.broker.store import MessageStore
from apps.core.broker.whereabouts import STEPS

UNREADABLE: Final = "(not readable)"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingJob:
    """None: the message does not say."""

    job: str | None
    task: str
    ready_at: datetime | None  # when it could have started
    attempt: int | None


def next_of(store: MessageStore, queue: str, most: int) -> list[WaitingJob]:
    """In the order in which they are claimed, however many wait. Raises redis.RedisError."""
    found: list[WaitingJob] = []
    for step in STEPS:
        missing = most - len(found)
        if missing > 0:  # the end of a list is claimed first
            texts = store.connections.call("LRANGE", f"{store.prefix}{queue}{step}", -missing, -1)
            found += [_read(text) for text in reversed(texts)]
    return found


def _read(text: bytes) -> WaitingJob:
    try:
        message = read(text)
    except UndecodableMessageError:
        return WaitingJob(job=None, task=UNREADABLE, ready_at=None, attempt=None)
    task, retries = message.headers.get("task"), message.headers.get("retries")
    return WaitingJob(
        job=message.job,
        task=task if isinstance(task, str) else UNREADABLE,
        ready_at=_moment(message.ready_at),
        attempt=retries + 1 if isinstance(retries, int) else None,
    )


def _moment(seconds: float | None) -> datetime | None:
    """None for what is no moment either: anybody may publish a message."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
