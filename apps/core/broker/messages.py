"""Messages as they lie in the lists: kombu's JSON, whoever published them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from kombu.utils.json import object_hook

from ..context import READY_AT_HEADER

LATEST: Final = 1e12  # seconds since the epoch: what is no moment, such as NaN, is not below it
ENQUEUED_ETA = "bgjobs_eta"  # header: the eta of a job that is due now; Celery would wait for `eta` in memory


_decode: Final = json.JSONDecoder(object_hook=object_hook).decode  # kombu's loads makes a decoder each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message on its way to the broker."""

    job: str
    task: str
    queue: str
    list: str  # the queue's list for the message's priority
    text: str  # a JSON object, as kombu's Redis transport writes it
    tag: str  # its delivery tag, which no other message has
    due: float = 0.0  # moment before which it must not start; 0: at once
    durable: bool = False  # its row is kept until its job is done
    unique: str | None = None  # the key under which no second job may wait


class UndecodableMessageError(ValueError):
    """The text in the list is no message."""


@dataclass(slots=True, kw_only=True)
class Message:
    payload: dict[str, Any]  # as kombu takes it
    headers: dict[str, Any]  # the part of `payload` with the job's facts; {} where it has none
    ready_at: float | None  # moment the wait counts from; None: stock producers do not say
    due: float | None  # moment before which the job must not start; None: at once, or unreadable

    @property
    def job(self) -> str | None:
        job = self.headers.get("id")
        return job if isinstance(job, str) else None

    @property
    def tag(self) -> str:
        """Its publisher's delivery tag, which no other message has."""
        return str(self.payload["properties"].get("delivery_tag", ""))

    def make_due(self) -> None:
        """Keep Celery from waiting for the eta once more. An eta that cannot be read is left for it to refuse."""
        if self.due is not None:
            self.headers[ENQUEUED_ETA] = self.headers.pop("eta")


def read(text: bytes) -> Message:
    """The message in `text`. Raises UndecodableMessageError."""
    try:
        payload = _decode(text.decode())
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UndecodableMessageError(f"not JSON: {type(error).__name__}") from error
    if not isinstance(payload, dict) or not isinstance(payload.get("properties"), dict):
        raise UndecodableMessageError('no JSON object with "properties"')
    headers = payload.get("headers")
    if not isinstance(headers, dict):
        headers = {}
    if not all(isinstance(headers.get(name, ""), str) for name in ("task", "id")):
        raise UndecodableMessageError('"task" or "id" is no text')
    # The header is the enqueuer's own word, of a job that this project enqueued on a redis:// URL.
    ready_at = payload.pop("ready_at", None) or headers.get(READY_AT_HEADER)
    return Message(
        payload=payload,
        headers=headers,
        ready_at=ready_at if isinstance(ready_at, int | float) and 0 <= ready_at < LATEST else None,
        due=due_of(headers),
    )


def due_of(headers: dict[str, Any]) -> float | None:
    eta = headers.get("eta")
    if not isinstance(eta, str):
        return None
    try:
        moment = datetime.fromisoformat(eta)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
