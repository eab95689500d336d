"""A dead letter out of a record of the quarantine, whatever that holds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ..broker import quarantine
from ..broker.ending import UNREMARKABLE
from ..context import FIRST_READY_AT_HEADER, HEADERS, KEY_HEADER, READY_AT_HEADER
from ..fingerprint import fingerprint
from ..logs import get_logger, redact
from ..stored import moment, name, text
from .models import DeadLetter
from .original import Original, UnreadableMessageError
from .reasons import REASONS

MOST_ATTEMPTS: Final = 2**31 - 1

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record, read."""

    letter: DeadLetter | None  # None: the job's end is none to be kept
    tag: str  # of its message; "": it cannot be read
    headers: Mapping[str, Any]
    at: datetime  # when it was set aside


def read(kept_as: str, record: bytes) -> Kept:
    """Never raises: what is not understood is kept as it is."""
    try:
        kept = json.loads(record)
        message = quarantine.original(kept)
        at, history = float(kept["at"]), [text(line) for line in kept["history"]]
        reason, queue, list_name = str(kept["reason"]), text(kept["queue"]), text(kept["list"])
    except (ValueError, TypeError, LookupError, AttributeError):
        log.error("dead_letters.record_unreadable", kept_as=kept_as)
        kept, message, at, history = {}, record, datetime.now(UTC).timestamp(), []
        reason, queue, list_name = "undecodable", "", ""
    try:
        original: Original | None = Original.read(message)
    except UnreadableMessageError:
        original = None
    headers = original.headers if original else {}
    tag = original.tag if original else ""
    last_at = moment(at) or datetime.now(UTC)
    if reason in UNREMARKABLE:
        return Kept(letter=None, tag=tag, headers=headers, at=last_at)
    task, error = name(headers.get("task")), text(kept.get("error", ""))
    frames = tuple(frame for frame in kept.get("frames", ()) if isinstance(frame, str))
    letter = DeadLetter(
        kept_as=kept_as,
        reason=reason if reason in REASONS else reason[:20],
        task=task,
        job=name(headers.get("id")),
        queue=queue,
        list_name=list_name,
        message=message,
        error=error,
        error_text=redact(text(kept.get("detail", ""))),
        traceback=text(kept.get("traceback", "")),
        fingerprint=fingerprint(task=task, reason=reason, error=error, frames=frames),
        attempts=_attempts(headers, history, ran=kept.get("ran") is True),
        tenant=name(headers.get(HEADERS["tenant_id"])),
        correlation_id=name(headers.get(HEADERS["correlation_id"])),
        idempotency_key=text(headers.get(KEY_HEADER)),
        history=history,
        first_at=min(moment(headers.get(FIRST_READY_AT_HEADER, headers.get(READY_AT_HEADER))) or last_at, last_at),
        last_at=last_at,
    )
    return Kept(letter=letter, tag=tag, headers=headers, at=last_at)


def _attempts(headers: Mapping[str, Any], history: list[str], *, ran: bool) -> int:
    retries = headers.get("retries")
    before = retries if isinstance(retries, int) and not isinstance(retries, bool) and retries > 0 else 0
    return min(before + len(history) + ran, MOST_ATTEMPTS)
