"""How queues and spans of time are named on the command line, and how commands reach the messages."""

from argparse import ArgumentTypeError

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from ..broker.configured import configured_store
from ..broker.store import MessageStore
from ..exceptions import UnknownQueueError
from ..queues import queue_named


def queue_name(text: str) -> str:
    """An argument's type. Raises ArgumentTypeError, which names the nearest queue."""
    try:
        return queue_named(text).name
    except UnknownQueueError as error:
        raise ArgumentTypeError(str(error)) from None


def messages() -> MessageStore:
    """Raises CommandError where the broker is no leased one."""
    try:
        return configured_store()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
