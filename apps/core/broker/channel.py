"""kombu's Redis channel, whose job queues are leased.

Broadcasts, replies and events are kombu's own: they are consumed without acknowledgement. A queue whose messages are
acknowledged is served by an `Intake`.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import redis
from kombu.transport import redis as kombu_redis
from kombu.transport import virtual
from kombu.utils.json import dumps
from kombu.utils.url import url_to_parts

from ..context import UNIQUE_HEADER
from ..logs import get_logger
from .custody import Custody, event_line
from .failure import Failure
from .intake import Intake
from .messages import due_of
from .qos import LeasedQoS
from .quarantine import record
from .servers import custody_of, store_of
from .store import NO_TASK, Entry, MessageStore

log = get_logger(__name__)

if TYPE_CHECKING:  # kombu's types do not name what this builds on
    Base: Any
else:
    Base = object


class LeasedMessage(virtual.Message):
    """A message as a consumer gets it."""

    channel: Any
    delivery_tag: Any
    custody: Custody  # in which it is held
    entry: Entry  # what was claimed
    history: list[str]  # of trouble that this job has had: "<moment> <event> <owner>"
    tag: str  # its publisher's delivery tag

    def ack(self, multiple: bool = False) -> None:
        if not self._gives_up_its_unique_key():
            self.requeue()
            return
        super().ack(multiple)
        if self.history:
            self.custody.forget_troubles(str(self.headers.get("id")))

    def quarantine(
        self,
        reason: str,
        detail: str = "",
        *,
        last_event: str = "",
        failure: Failure | None = None,
        ran: bool = False,
        note: str = "",
    ) -> None:
        """Set the message aside, instead of acknowledging or rejecting it; see `quarantine.record`.

        `note`: what counts of it.
        """
        if not self._gives_up_its_unique_key():
            self.requeue()
            return
        history = [*self.history, event_line(last_event)] if last_event else self.history
        self.custody.quarantine(
            self.delivery_tag,
            record(self.entry, reason, detail=detail, history=history, failure=failure, ran=ran),
            note,
        )
        if self.history:
            self.custody.forget_troubles(str(self.headers.get("id")))
        self._state = "REJECTED"

    def reject(self, requeue: bool = False) -> None:
        super().reject(requeue=requeue or not self._gives_up_its_unique_key())

    def requeue_after(self, event: str, note: str) -> None:
        """Requeue the message, and note in its job's history what has happened to it."""
        self.custody.put_back(self.delivery_tag, event, note)
        self._state = "REQUEUED"

    def _gives_up_its_unique_key(self) -> bool:
        """First, since a key whose message is gone would be kept for ever. False: the server cannot be told now.

        The message then comes again, and is answered with the result that is stored by now.
        """
        unique, job = self.headers.get(UNIQUE_HEADER), self.headers.get("id")
        if not (isinstance(unique, str) and isinstance(job, str)):
            return True
        try:
            self.channel.store.unmark(self.entry.queue, unique, job=job, tag=self.tag)
        except redis.RedisError as error:
            log.warning("broker.unique_key_kept", job=job, error=type(error).__name__)
            return False
        return True


class LeasedChannel(Base):  # type: ignore[misc] # see Base
    """Mixed into kombu's channels; see there for the meaning of each method."""

    Message: Any = LeasedMessage
    QoS: Any = LeasedQoS
    supports_batch_publish = False  # each publication is one script already

    socket_connect_timeout: Any = 2.0  # seconds; kombu's default is to wait for ever
    socket_timeout: Any = 5.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._sync_client: redis.Redis | None = None
        self._own_intake: Intake | None = None
        super().__init__(*args, **kwargs)
        self.store: MessageStore = store_of(self)

    @property
    def custody(self) -> Custody:
        return custody_of(self)

    @property
    def intake(self) -> Intake:
        if self._own_intake is None:
            self._own_intake = Intake(self, self.custody, self._waiting_connection)
            self.connection.cycle.add_intake(self._own_intake)
        return self._own_intake

    def basic_consume(self, queue: str, no_ack: bool = False, *args: Any, **kwargs: Any) -> Any:
        if no_ack or queue in self._fanout_queues:
            return super().basic_consume(queue, no_ack, *args, **kwargs)
        return self._consume_leased(queue, *args, **kwargs)

    def _consume_leased(self, queue: str, callback: Callable[[Any], object], consumer_tag: str, **_: Any) -> None:
        self._tag_to_queue[consumer_tag] = queue
        self._consumers.add(consumer_tag)
        self.intake.consume(queue, callback)

    def basic_cancel(self, consumer_tag: str) -> Any:
        queue = self._tag_to_queue.get(consumer_tag)
        if self._own_intake is None or queue not in self._own_intake.queues:
            return super().basic_cancel(consumer_tag)
        self._consumers.discard(consumer_tag)
        del self._tag_to_queue[consumer_tag]
        return self._own_intake.cancel(queue)

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> Any:
        if no_ack:
            return super().basic_get(queue, no_ack, **kwargs)
        return self.intake.claim_one(queue)

    def close(self) -> None:
        if self._own_intake is not None:
            self.connection.cycle.discard_intake(self._own_intake)
            self._own_intake.close()
            self._own_intake = None
        self._in_poll = None  # no job is ever in such a reply, and a server that is down would not send it
        try:
            super().close()
        except (*self.connection_errors, AttributeError):  # kombu's tidying up meets a server that is down
            virtual.Channel.close(self)

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        headers = message.get("headers") or {}
        if "task" not in headers:  # no job: a reply, or another protocol
            super()._put(queue, message, **kwargs)
            return
        priority = self._get_message_priority(message, reverse=False)
        task = headers["task"] if isinstance(headers["task"], str) and headers["task"] else NO_TASK
        due = due_of(headers) or 0.0
        self.store.publish(queue, self._q_for_pri(queue, priority), dumps(message), due=due, task=task)

    def _purge(self, queue: str) -> int:
        return self.store.purge(queue)

    @contextlib.contextmanager
    def conn_or_acquire(self, client: redis.Redis | None = None) -> Iterator[redis.Redis]:
        """One client for the life of the pool, where kombu makes one for each command."""
        if client is not None:
            yield client
            return
        if self._sync_client is None or self._sync_client.connection_pool is not self.pool:
            self._sync_client = self._create_client()
        yield self._sync_client

    def _waiting_connection(self) -> Any:
        """A connection for blocking commands, of which only the event loop knows when there is an answer."""
        pool = self.store.client.connection_pool
        return pool.connection_class(**pool.connection_kwargs | {"socket_timeout": None, "driver_info": None})


class Channel(LeasedChannel, kombu_redis.Channel):
    """For a server, whether by TCP, TLS or Unix socket."""

    from_transport_options = kombu_redis.Channel.from_transport_options


class SentinelChannel(LeasedChannel, kombu_redis.SentinelChannel):
    """For the master that Sentinels name."""

    from_transport_options = kombu_redis.SentinelChannel.from_transport_options

    def _sentinel_managed_pool(self, asynchronous: bool = False) -> Any:
        client: Any = self.connection.client
        client.alt = [url.replace("leased+sentinel://", "sentinel://") for url in client.alt]
        return super()._sentinel_managed_pool(asynchronous)


def plain_address(client: Any) -> None:
    """Let kombu's connection know the parts of a leased+sentinel:// URL, which it takes for one host name."""
    if client.hostname and client.hostname.startswith("sentinel://"):
        parts = url_to_parts(client.hostname)
        client.hostname, client.port = parts.hostname, parts.port
        client.userid, client.password = parts.username, parts.password
        client.virtual_host = parts.path or "0"
