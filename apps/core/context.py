"""For whom and because of what a job runs: carried from the request or the calling job to every child.

The context travels in message headers of its own, since Celery's `correlation_id` is the job's id.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    tenant_id: str | None = None
    user_id: str | None = None
    correlation_id: str | None = None  # the same for a request and all jobs that come of it
    firing: str | None = None  # ISO 8601: the due instant of the schedule entry that enqueued this very job

    def headers(self) -> dict[str, str]:
        """The message headers that carry this context; absent values have none."""
        return {header: value for field, header in HEADERS.items() if (value := getattr(self, field)) is not None}

    @classmethod
    def from_headers(cls, headers: Mapping[str, Any]) -> "JobContext":
        """The context in a message's headers. What is not text is dropped: messages come from outside."""
        found = {field: headers.get(header) for field, header in HEADERS.items()}
        return cls(**{field: value for field, value in found.items() if isinstance(value, str)})

    def for_children(self) -> "JobContext":
        """What jobs enqueued from here inherit: all but the firing, which is this job's own."""
        return replace(self, firing=None, correlation_id=self.correlation_id or uuid.uuid4().hex)

    @property
    def firing_instant(self) -> datetime | None:
        return datetime.fromisoformat(self.firing) if self.firing else None


HEADERS: Final = {
    "tenant_id": "bgjobs_tenant",
    "user_id": "bgjobs_user",
    "correlation_id": "bgjobs_correlation",
    "firing": "bgjobs_firing",
}

# Beside the context: the job's idempotency key,
KEY_HEADER: Final = "bgjobs_key"
# that its row in the outbox is kept until it is done, and the key under which no second job may wait;
DURABLE_HEADER: Final = "bgjobs_durable"
UNIQUE_HEADER: Final = "bgjobs_unique"
# in seconds since the epoch, the moment from which a job's wait counts, and that of its first attempt's;
READY_AT_HEADER: Final = "bgjobs_ready_at"
FIRST_READY_AT_HEADER: Final = "bgjobs_first_ready_at"
# and, of a job of the timetable, the name of the entry whose firing it is.
ENTRY_HEADER: Final = "bgjobs_entry"

_current: ContextVar[JobContext] = ContextVar("bgjobs_context", default=JobContext())  # noqa: B039 - it is frozen


def current() -> JobContext:
    return _current.get()


def enter(context: JobContext) -> Token[JobContext]:
    """Make `context` the current one until `leave` is given the token."""
    return _current.set(context)


def leave(token: Token[JobContext]) -> None:
    _current.reset(token)


@contextmanager
def using(**changes: str | int | None) -> Iterator[JobContext]:
    """Change fields of the current context for a block: `with using(tenant_id=7): task.delay()`."""
    texts = {field: None if value is None else str(value) for field, value in changes.items()}
    context = replace(_current.get(), **texts)
    token = enter(context)
    try:
        yield context
    finally:
        leave(token)
