"""The broker that the settings name, for those who ask and repair instead of consuming."""

from typing import Any, Final
from urllib.parse import urlsplit

import redis
from celery import current_app
from django.core.exceptions import ImproperlyConfigured

from ..redis_client import BROKER_SCHEMES, CONNECT_TIMEOUT, connect
from .store import MessageStore

REPLY_TIMEOUT: Final = 10.0  # seconds; what operators ask may take a server with a large quarantine a while


class NotLeasedError(ImproperlyConfigured):
    """The broker's URL is no leased:// one: this needs apps/core/broker."""


def is_leased(conf: Any = None) -> bool:
    return urlsplit((conf or current_app.conf).broker_url or "").scheme in BROKER_SCHEMES


def prefix_of(conf: Any) -> str:
    return str((conf.broker_transport_options or {}).get("global_keyprefix", ""))


def broker_prefix() -> str:
    return prefix_of(current_app.conf)


def broker_client(**time_limits: Any) -> redis.Redis:
    """A client of the configured broker; see `client_for`."""
    return client_for(current_app.conf, **time_limits)


def client_for(
    conf: Any, *, connect_timeout: float = CONNECT_TIMEOUT, reply_timeout: float = REPLY_TIMEOUT, retries: int = 1
) -> redis.Redis:
    """A client of a broker's server, whichever transport uses it, that answers bytes. Nothing is sent yet.

    `conf`: a Celery application's. Raises ImproperlyConfigured for a broker that is neither Valkey nor Redis.
    """
    client = connect(
        conf.broker_url,
        (conf.broker_transport_options or {}) | {"ssl": conf.broker_use_ssl or {}},
        connect_timeout=connect_timeout,
        reply_timeout=reply_timeout,
        retries=retries,
    )
    client.connection_pool.connection_kwargs["decode_responses"] = False
    return client


def configured_store() -> MessageStore:
    """The messages on the broker. Raises NotLeasedError where it is not a leased one."""
    if not is_leased():
        raise NotLeasedError("The broker's URL is no leased:// one; only that transport can do this.")
    return MessageStore(broker_client(), broker_prefix())
