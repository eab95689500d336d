"""Which workers listen on the broker, and which of them are none of this transport."""

import json
from dataclasses import dataclass
from typing import Any, Final

from celery import current_app

from ..redis_client import BROKER_SCHEMES

ANSWER_WITHIN: Final = 2.0  # seconds
NOBODY: Final = "nobody@nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    leased: tuple[str, ...]  # names of workers of this transport
    stock: tuple[str, ...]  # names of workers of another
    silent: int  # workers that are connected and have not said which they are


def listeners() -> Listeners:
    """Every worker that is connected for remote control. One that has it turned off is not seen.

    The server counts who listens, also a worker that is too busy to answer; who answers says which transport it has.
    """
    control: Any = current_app.control
    with current_app.connection_for_write() as connection:
        mailbox = control.mailbox(connection)
        mailbox.producer_pool = None  # this connection and no other
        connected = _receivers_of_nothing(connection.default_channel, mailbox.exchange.name)
        if not connected:
            return Listeners(leased=(), stock=(), silent=0)
        replies = mailbox.multi_call("stats", timeout=ANSWER_WITHIN, limit=connected)
    answers: dict[str, Any] = {name: answer for reply in replies for name, answer in reply.items()}
    leased = {name for name, answer in answers.items() if answer["broker"]["transport"] in BROKER_SCHEMES}
    return Listeners(
        leased=tuple(sorted(leased)),
        stock=tuple(sorted(answers.keys() - leased)),
        silent=max(connected - len(answers), 0),
    )


def _receivers_of_nothing(channel: Any, exchange: str) -> int:
    """How many workers have got a message that is meant for none of them."""
    order: dict[str, Any] = {
        "method": "ping",
        "arguments": {},
        "destination": [NOBODY],
        "pattern": None,
        "matcher": None,
    }
    headers = {"clock": 0, "expires": 0}
    message = channel.prepare_message(
        json.dumps(order), content_type="application/json", content_encoding="utf-8", headers=headers
    )
    channel._inplace_augment_message(message, exchange, "")  # noqa: SLF001 - as kombu's own publish does
    topic = channel._get_publish_topic(exchange, "")  # noqa: SLF001
    return int(channel.client.publish(topic, json.dumps(message)))
