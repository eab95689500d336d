"""Connections for those who look: with little patience, and kept, since pages look every few seconds."""

from typing import Any, Final

from ..broker.configured import client_for, prefix_of
from ..broker.store import MessageStore
from ..circuit_breaker import BreakerStore
from ..conf import engine_settings
from ..redis_client import connect

PATIENCE: Final = 0.5  # seconds for a connection, and for each reply

# What was made last, and for which address: the settings of a test change.
_messages: tuple[str, MessageStore] | None = None
_breakers: tuple[str, BreakerStore] | None = None


def message_store(conf: Any) -> MessageStore:
    """`conf`: a Celery application's. Raises ImproperlyConfigured for a broker that is neither Valkey nor Redis."""
    global _messages
    address = _address(conf)
    if _messages is None or _messages[0] != address:
        client = client_for(conf, connect_timeout=PATIENCE, reply_timeout=PATIENCE, retries=0)
        _messages = address, MessageStore(client, prefix_of(conf))
    return _messages[1]


def breaker_store(conf: Any) -> BreakerStore:
    """On the server of the engine's own state: the broker's, unless the settings name another."""
    global _breakers
    url = engine_settings().store_url or conf.broker_url
    address = f"{url} {_address(conf)}"
    if _breakers is None or _breakers[0] != address:
        options = (conf.broker_transport_options or {}) | {"ssl": conf.broker_use_ssl or {}}
        client = connect(url, options, connect_timeout=PATIENCE, reply_timeout=PATIENCE, retries=0)
        _breakers = address, BreakerStore(client)
    return _breakers[1]


def _address(conf: Any) -> str:
    return repr((conf.broker_url, conf.broker_transport_options, conf.broker_use_ssl))
