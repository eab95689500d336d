"""The broker that the settings name, for those who ask and repair instead of consuming."""

from typing import Final
from urllib.parse import urlsplit

import redis
from celery import current_app
from django.core.exceptions import ImproperlyConfigured

from ..redis_client import BROKER_SCHEMES, connect
from .store import MessageStore

REPLY_TIMEOUT: Final = 10.0  # seconds; what operators ask may take a server with a large quarantine a while


class NotLeasedError(ImproperlyConfigured):
    """The broker's URL is no leased:// one: this needs apps/core/broker."""


def is_leased() -> bool:
    return urlsplit(current_app.conf.broker_url or "").scheme in BROKER_SCHEMES


def broker_prefix() -> str:
    return str((current_app.conf.broker_transport_options or {}).get("global_keyprefix", ""))


def broker_client(*, connect_timeout: float | None = None, reply_timeout: float = REPLY_TIMEOUT) -> redis.Redis:
    """A client of the broker's server, whichever transport uses it, that answers bytes. Nothing is sent yet.

    Raises ImproperlyConfigured for a broker that is neither Valkey nor Redis.
    """
    conf = current_app.conf
    client = connect(conf.broker_url, (conf.broker_transport_options or {}) | {"ssl": conf.broker_use_ssl or {}})
    options = client.connection_pool.connection_kwargs
    options |= {"decode_responses": False, "socket_timeout": reply_timeout}
    if connect_timeout is not None:
        options["socket_connect_timeout"] = connect_timeout
    return client


def configured_store() -> MessageStore:
    """The messages on the broker. Raises NotLeasedError where it is not a leased one."""
    if not is_leased():
        raise NotLeasedError("The broker's URL is no leased:// one; only that transport can do this.")
    return MessageStore(broker_client(), broker_prefix())
