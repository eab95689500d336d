"""Messages that are not tried again by themselves, with all that is known of them.

They are here for a moment: the relay's mover (dead_letters/mover.py) makes dead letters of them.
"""

import base64
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from ..logs import redact
from ..owners import owner_id
from .failure import Failure
from .store import Entry, MessageStore

PORTION: Final = 100  # records read at once


def record(
    entry: Entry,
    reason: str,
    *,
    detail: str = "",
    history: Sequence[str] = (),
    failure: Failure | None = None,
    ran: bool = False,
) -> str:
    """The JSON that is kept: the message exactly as it was published, where it was, and why it is here.

    `failure`: the error that the job ended with. `ran`: this delivery came to its end in the job's body, so it counts
    as an attempt beside those in its history.
    """
    return json.dumps(
        {
            "reason": reason,
            "detail": failure.text if failure else detail,
            "error": failure.error if failure else "",
            "traceback": failure.traceback if failure else "",
            "frames": failure.frames if failure else (),
            "ran": ran,
            "at": time.time(),
            "by": owner_id(),
            "queue": entry.queue,
            "list": entry.list,
            "history": list(history),
            **_text(entry.text),
        }
    )


def original(kept: dict[str, Any]) -> bytes:
    """The message in a record that was read back."""
    return base64.b64decode(kept["base64"]) if "base64" in kept else kept["message"].encode()


def _text(text: bytes) -> dict[str, str]:
    try:
        return {"message": text.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(text).decode()}


# What operators see of it, and do with it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A message in quarantine. Nothing here shows a job's arguments but `text`."""

    name: str  # by which operators name it
    kept_as: str  # its field in the hash
    reason: str
    detail: str
    since: float
    queue: str
    list: str
    history: tuple[str, ...]  # "<moment> <event> <owner>"
    task: str | None  # None: the message cannot be read
    job: str | None
    text: bytes  # the message as it was published

    @classmethod
    def read(cls, kept_as: str, record_text: bytes) -> Self:
        kept = json.loads(record_text)
        text = original(kept)
        headers = _headers(text)
        return cls(
            name=kept_as.replace(" ", ":"),
            kept_as=kept_as,
            reason=kept["reason"],
            detail=redact(": ".join(filter(None, (kept.get("error"), kept["detail"])))),
            since=kept["at"],
            queue=kept["queue"],
            list=kept["list"],
            history=tuple(kept["history"]),
            task=_text_or_none(headers.get("task")),
            job=_text_or_none(headers.get("id")),
            text=text,
        )


def count(store: MessageStore) -> int:
    return int(store.connections.call("HLEN", store.key("quarantine")))


def portion(store: MessageStore, cursor: bytes) -> tuple[bytes, dict[str, bytes]]:
    """Some records by the names of their fields, and the cursor of the next; b"0" is the first and last."""
    cursor, pairs = store.connections.call("HSCAN", store.key("quarantine"), cursor, "COUNT", PORTION)
    return cursor, {kept_as.decode(): text for kept_as, text in zip(pairs[::2], pairs[1::2], strict=True)}


def forget(store: MessageStore, fields: Iterable[str]) -> None:
    """These records are kept elsewhere by now."""
    store.connections.call("HDEL", store.key("quarantine"), *fields)


def each(store: MessageStore, *, reason: str | None = None) -> Iterator[Quarantined]:
    """All that are there while this goes on, or those with this reason; in no order, and each once at least."""
    cursor = b"0"
    while True:
        cursor, records = portion(store, cursor)
        for kept_as, text in records.items():
            one = Quarantined.read(kept_as, text)
            if reason is None or one.reason == reason:
                yield one
        if cursor == b"0":
            return


def named(store: MessageStore, name: str) -> Quarantined | None:
    owner, _, lease = name.rpartition(":")
    kept_as = f"{owner} {lease}"
    text = store.connections.call("HGET", store.key("quarantine"), kept_as)
    return None if text is None else Quarantined.read(kept_as, text)


def restore(store: MessageStore, those: Iterable[Quarantined]) -> int:
    """Put these back where they are claimed next, exactly as they were. Returns how many still were there."""
    return sum(store.restore(one.kept_as, one.list, one.text) for one in those)


def _headers(text: bytes) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    headers = message.get("headers") if isinstance(message, dict) else None
    return headers if isinstance(headers, dict) else {}


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None
