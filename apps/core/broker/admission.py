"""What a claimed message is: a job to run now, one that is not due, or none at all."""

import time
from typing import Any

from celery.worker import state as worker_state

from ..context import READY_AT_HEADER
from ..logs import get_logger
from . import messages, quarantine
from .custody import Custody
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
        self._clock_ahead = 0.0  # seconds that the server's clock is before this machine's

    def learn(self, claimed: Claimed) -> None:
        """Take in what a claim told beside its messages. Raises redis.RedisError where more has to be asked."""
        if claimed.revoked > self._revoked_until:
            self._revoked |= self._custody.store.revoked_since(self._revoked_until)
            self._revoked_until = claimed.revoked
        self._troubled = claimed.troubled
        self._clock_ahead = claimed.now - time.time()

    def admit(self, entry: Entry) -> Any:
        """The message for the consumer, or None: it is not due, or cannot be read."""
        try:
            message = messages.read(entry.text)
            if (due := message.due) is not None and due > time.time() + self._clock_ahead:
                self._custody.delay(entry, due, seen=message.tag if message.ready_at is None else "")
                return None
            message.make_due()
            return self._for_consumer(entry, message)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # The words of other errors may quote the message.
            why = str(error) if isinstance(error, messages.UndecodableMessageError) else type(error).__name__
            log.error("broker.undecodable", queue=entry.queue, why=why)
            self._custody.quarantine(entry.lease, quarantine.record(entry, "undecodable", detail=str(error)))
            return None

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
        made.entry, made.history, made.tag = entry, history, tag
        return made

    def _first_seen(self, message: messages.Message) -> float:
        """Stock producers do not say when they enqueued a message: it counts from when it was noticed, or due."""
        now = time.time() + self._clock_ahead
        return max(message.due or 0.0, self._custody.store.first_seen(message.tag, now))
