"""The way from an enqueuer to the broker: at once, or not at all."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import redis

from ..broker.configured import client_for, is_leased, prefix_of
from ..broker.messages import Outgoing
from ..broker.store import MessageStore, Published
from ..logs import get_logger

# Seconds. A command is tried on the connection at hand and on a new one, so a server that is down costs 0.4 at most.
CONNECT_TIMEOUT: Final = 0.2
REPLY_TIMEOUT: Final = 0.2
SPARED_FOR: Final = 1.0  # seconds for which a server that has not answered is not asked again
PORTION: Final = 250  # messages in one script: while it runs, nobody can claim

log = get_logger(__name__)


class BrokerDownError(redis.ConnectionError):
    """The broker has not answered a moment ago, and is not asked again so soon."""


class Outlet:
    """Publishes for one Celery application. One for all threads."""

    def __init__(self, app: Any) -> None:
        client = client_for(app.conf, connect_timeout=CONNECT_TIMEOUT, reply_timeout=REPLY_TIMEOUT, retries=0)
        self.store = MessageStore(client, prefix_of(app.conf), delays=is_leased(app.conf))
        self._spared_until = 0.0

    @property
    def is_spared(self) -> bool:
        """Whether the broker has not answered a moment ago, and is not asked again so soon."""
        return time.monotonic() < self._spared_until

    def publish(self, messages: Sequence[Outgoing], *, have_rows: bool) -> list[Published]:
        """What became of each message. Raises redis.RedisError where some may not have arrived: publish all again."""
        if messages and self.is_spared:
            raise BrokerDownError()
        published: list[Published] = []
        try:
            for portion in _portions(messages):
                published += self.store.publish_all(portion, have_rows=have_rows)
            return published
        except redis.RedisError as error:
            self._spare(error)
            raise

    def holder_of(self, message: Outgoing) -> str | None:
        """The job that waits or runs under the message's unique key, as far as the broker knows and answers."""
        if message.unique is None or self.is_spared:
            return None
        try:
            return self.store.holder_of(message.queue, message.unique)
        except redis.RedisError as error:
            self._spare(error)
            return None

    def knows(self, tag: str) -> bool:
        """Whether a message with a row is known to have been published."""
        try:
            return self.store.are_published([tag]) == [True]
        except redis.RedisError as error:
            self._spare(error)
            return False

    def _spare(self, error: redis.RedisError) -> None:
        self._spared_until = time.monotonic() + SPARED_FOR
        log.warning("outbox.broker_down", error=type(error).__name__)


def _portions(messages: Sequence[Outgoing]) -> Iterator[Sequence[Outgoing]]:
    for start in range(0, len(messages), PORTION):
        yield messages[start : start + PORTION]
