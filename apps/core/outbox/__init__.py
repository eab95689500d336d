"""Never lose a job on the way in: enqueueing is part of the enqueuer's transaction. See docs/outbox.md."""

from . import capture
from .enqueue import enqueue, enqueueing_together
from .hosting import keep_doing
from .on_commit import Enqueued
from .outlet import Outlet
from .relay import Relay
from .result import JobResult
from .sent_events import SentEvents

__all__ = [
    "Enqueued",
    "JobResult",
    "Outlet",
    "Relay",
    "SentEvents",
    "capture",
    "enqueue",
    "enqueueing_together",
    "keep_doing",
]
