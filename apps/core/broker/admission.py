"""What a claimed message is: a job to run now, one that is not due, or none at all."""

import time
from collections.abc import Mapping
from typing import Any

from celery.worker import state as worker_state

from ..context import READY_AT_HEADER
from ..logs import get_logger
from ..metrics import events
from ..retry import FailureReason
from . import messages, quarantine, run_notes
from .custody import Custody
from .fuses import Fuse
from .store import Claimed, Entry

log = get_logger(__name__)


class Admission:
    """Decides before a message reaches its consumer, with what the last claim told of the server."""

    def __init__(self, channel: Any, custody: Custody) -> None:
        self._channel = channel
        self._custody = custody
        self._revoked: dict[str, float] = {}
        self._revoked_until = 0.0  # moment up to which `_revoked` is complete
        self._troubled = False  # some job somewhere has a history
        self._fuses: Mapping[str, Fuse] = {}
        self._clock_ahead = 0.0  # seconds that the server's clock is before this machine's

    def learn(self, claimed: Claimed) -> None:
        """Take in what a claim told beside its messages. Raises redis.RedisError where more has to be asked."""
        if claimed.revoked > self._revoked_until:
            self._revoked |= self._custody.store.revoked_since(self._revoked_until)
            self._revoked_until = claimed.revoked
        self._troubled = claimed.troubled
        self._fuses = claimed.fuses
        self._clock_ahead = claimed.now - time.time()

    def admit(self, entry: Entry) -> Any:
        """The message for the consumer, or None: it is not due, or cannot be read."""
        try:
            message = messages.read(entry.text)
            if (due := message.due) is not None and due > time.time() + self._clock_ahead:
                self._custody.delay(entry, due, seen=message.tag if message.ready_at is None else "")
                return None
            if (fused := self._fused(message)) is not None:
                self._custody.park(entry, fused)
                return None
            message.make_due()
            return self._for_consumer(entry, message)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # The words of other errors may quote the message.
            why = str(error) if isinstance(error, messages.UndecodableMessageError) else type(error).__name__
            log.error("broker.undecodable", queue=entry.queue, why=why)
            note = run_notes.of_message(events.FAILED, queue=entry.queue, reason=FailureReason.POISON)
            self._custody.quarantine(entry.lease, quarantine.record(entry, "undecodable", detail=str(error)), note)
            return None

    def _fused(self, message: messages.Message) -> str | None:
        """The message's task, where its jobs are not to start now."""
        fuse = self._fuses.get(message.headers.get("task", "")) if self._fuses else None
        return fuse.task if fuse is not None and fuse.until > time.time() + self._clock_ahead else None

    def _for_consumer(self, entry: Entry, message: messages.Message) -> Any:
        job = message.job
        history: list[str] = []
        if job is not None:
            if self._troubled:
                (history,) = self._custody.store.troubles([job])
            if job in self._revoked:
                worker_state.revoked.add(job)  # Celery drops it, and says so
            message.headers[READY_AT_HEADER] = message.ready_at or self._first_seen(message)
        properties = message.payload["properties"]
        tag = message.tag
        properties["delivery_tag"] = entry.lease
        info = properties.setdefault("delivery_info", {})
        info["redelivered"] = bool(history)
        made = self._channel.Message(message.payload, channel=self._channel)
        made.custody, made.entry, made.history, made.tag = self._custody, entry, history, tag
        return made

    def _first_seen(self, message: messages.Message) -> float:
        """Stock producers do not say when they enqueued a message: it counts from when it was noticed, or due."""
        now = time.time() + self._clock_ahead
        return max(message.due or 0.0, self._custody.store.first_seen(message.tag, now))
