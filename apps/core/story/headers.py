"""What a job's message says of itself, arguments aside."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from ..broker.messages import ENQUEUED_ETA
from ..context import (
    DURABLE_HEADER,
    ENTRY_HEADER,
    FIRST_READY_AT_HEADER,
    HEADERS,
    KEY_HEADER,
    READY_AT_HEADER,
)
from ..stored import moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """What is not there, or is not what it should be, is None: messages come from outside."""

    task: str | None = None
    retries: int = 0
    ready_at: datetime | None = None  # from which its wait counts
    first_ready_at: datetime | None = None  # from which that of its first attempt did
    eta: datetime | None = None
    expires: datetime | None = None
    key: str | None = None
    durable: bool = False
    entry: str | None = None  # of the timetable
    firing: str | None = None  # its due instant
    tenant: str | None = None
    user: str | None = None
    correlation: str | None = None
    parent: str | None = None
    root: str | None = None

    @classmethod
    def read(cls, message: bytes | None) -> Self:
        """Never raises."""
        found = _headers(message)
        retries = found.get("retries")
        return cls(
            task=_text(found.get("task")),
            retries=retries if type(retries) is int and retries > 0 else 0,
            ready_at=moment(found.get(READY_AT_HEADER)),
            first_ready_at=moment(found.get(FIRST_READY_AT_HEADER)) or moment(found.get(READY_AT_HEADER)),
            eta=_instant(found.get("eta")) or _instant(found.get(ENQUEUED_ETA)),
            expires=_instant(found.get("expires")),
            key=_text(found.get(KEY_HEADER)),
            durable=found.get(DURABLE_HEADER) is True,
            entry=_text(found.get(ENTRY_HEADER)),
            firing=_text(found.get(HEADERS["firing"])),
            tenant=_text(found.get(HEADERS["tenant_id"])),
            user=_text(found.get(HEADERS["user_id"])),
            correlation=_text(found.get(HEADERS["correlation_id"])),
            parent=_text(found.get("parent_id")),
            root=_text(found.get("root_id")),
        )


def _headers(message: bytes | None) -> Mapping[str, Any]:
    if message is None:
        return {}
    try:
        headers = json.loads(message)["headers"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return {}
    return headers if isinstance(headers, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
