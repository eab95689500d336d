"""Celery's own way to a message, up to the point where it would be sent.

A kombu transport on which publications are kept instead: signatures, routing, serialization and Celery's signals all
stay theirs, and what a producer of this transport was given can be written into a row or sent as it is.
"""

import threading
from typing import Any, Final

from kombu import Connection, Producer
from kombu.transport import virtual
from kombu.transport.redis import PRIORITY_STEPS
from kombu.utils.json import dumps

from ..broker.messages import Outgoing, due_of
from ..broker.store import PRIORITY_SEPARATOR
from ..context import DURABLE_HEADER, UNIQUE_HEADER

_mine: Final = threading.local()


class _Channel(virtual.Channel):
    do_restore = False
    supports_fanout = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: list[Outgoing] = []

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        self.kept.append(_outgoing(queue, message, self._get_message_priority(message, reverse=False)))


class _Transport(virtual.Transport):
    Channel = _Channel
    implements = virtual.Transport.implements.extend(asynchronous=False)


def producer() -> Producer:
    """This thread's producer; `take` returns what it was given last."""
    if not hasattr(_mine, "producer"):
        connection: Any = Connection(transport=_Transport)
        _mine.producer = Producer(connection.default_channel, auto_declare=False)
    made: Producer = _mine.producer
    return made


def take() -> Outgoing:
    """The latest message that this thread's producer was given."""
    channel: Any = producer().channel
    latest: Outgoing = channel.kept.pop()
    return latest


def _outgoing(queue: str, message: dict[str, Any], priority: int) -> Outgoing:
    headers, properties = message["headers"], message["properties"]
    step = max(step for step in PRIORITY_STEPS if step <= priority)
    return Outgoing(
        job=headers["id"],
        task=headers["task"],
        queue=queue,
        list=f"{queue}{PRIORITY_SEPARATOR}{step}" if step else queue,
        text=dumps(message),
        tag=properties["delivery_tag"],
        due=due_of(headers) or 0.0,
        durable=headers.get(DURABLE_HEADER) is True,
        unique=headers.get(UNIQUE_HEADER),
    )
