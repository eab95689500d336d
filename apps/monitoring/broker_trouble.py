"""Whether the broker answers: what needs it is offered only then."""

import time
from threading import Lock
from typing import Final

import redis
from django.core.exceptions import ImproperlyConfigured

from apps.core.broker.configured import broker_client

ASKED_EVERY: Final = 1.0  # seconds
PATIENCE: Final = 0.5  # seconds for a connection, and for the reply

_lock = Lock()
_last: list[tuple[float, str]] = []


def broker_trouble() -> str:
    """Why what needs the broker cannot be done now, in words; "" where it can."""
    with _lock:  # who comes while one asks waits for what that one hears
        if not _last or time.monotonic() - _last[0][0] >= ASKED_EVERY:
            words = _ask()
            _last[:] = [(time.monotonic(), words)]
        return _last[0][1]


def forget() -> None:
    """The next one who wants to know asks."""
    _last.clear()


def _ask() -> str:
    try:
        client = broker_client(connect_timeout=PATIENCE, reply_timeout=PATIENCE, retries=0)
        try:
            client.ping()
        finally:
            client.close()
    except redis.RedisError:
        return "the broker does not answer"
    except ImproperlyConfigured:
        return "the broker is neither Valkey nor Redis"
    return ""
