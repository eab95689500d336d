"""Connections to the Valkey or Redis server that holds the engine's own state."""

import re
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from celery import current_app
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from .conf import engine_settings

# Seconds. A server that is slower than this is treated as down: a job must not hang on its bookkeeping.
CONNECT_TIMEOUT = 1.0
REPLY_TIMEOUT = 2.0
# The broker's URL schemes, and what redis-py and Celery call the same address.
BROKER_SCHEMES: Final = {
    "leased": "redis",
    "leaseds": "rediss",
    "leased+socket": "redis+socket",
    "leased+sentinel": "sentinel",
}


@cache
def store() -> redis.Redis:
    """The client that all threads of this process share for the engine's state."""
    return new_store()


def new_store() -> redis.Redis:
    """A client for the engine's state: on the broker's server unless `store_url` names another.

    Raises ImproperlyConfigured for a URL that is none of Valkey's or Redis's.
    """
    conf = current_app.conf
    options = (conf.broker_transport_options or {}) | {"ssl": conf.broker_use_ssl or {}}
    return connect(engine_settings().store_url or conf.broker_url, options)


def connect(
    url: str,
    options: dict[str, Any] | None = None,
    *,
    connect_timeout: float = CONNECT_TIMEOUT,
    reply_timeout: float = REPLY_TIMEOUT,
    retries: int = 1,
) -> redis.Redis:
    """A client for any URL that Celery takes for its broker. Nothing is sent yet.

    `options` are Celery's transport options: `master_name` for Sentinel, `ssl` for certificates. Time limits are in
    seconds.
    """
    options = options or {}
    url = _of_the_server(url)
    # One more try on a fresh connection: an idle one may have been closed by the server or on the way.
    common: dict[str, Any] = {
        "socket_connect_timeout": connect_timeout,
        "socket_timeout": reply_timeout,
        "retry": Retry(NoBackoff(), retries),
        "decode_responses": True,
    }
    scheme = urlsplit(url).scheme
    if scheme == "sentinel":
        return _behind_sentinel(url, options, common)
    if scheme == "redis+socket":
        address = urlsplit(url)
        database = parse_qs(address.query).get("virtual_host", ["0"])[0]
        password = unquote(address.password) if address.password else None
        return redis.Redis(unix_socket_path=address.path, db=int(database), password=password, **common)
    if scheme in ("redis", "rediss", "unix"):
        ssl = options.get("ssl") or {}
        return redis.Redis.from_url(url, **common, **(ssl if scheme == "rediss" else {}))
    raise ImproperlyConfigured(
        f"The engine keeps its state in Valkey or Redis; {scheme!r} is no URL scheme of theirs."
    )


def _of_the_server(url: str) -> str:
    """The URL of the server behind one of the broker's own schemes."""
    for scheme, plain in BROKER_SCHEMES.items():
        url = re.sub(rf"(^|;){re.escape(scheme)}://", rf"\1{plain}://", url)
    return url


def _behind_sentinel(url: str, options: dict[str, Any], common: dict[str, Any]) -> redis.Redis:
    addresses = [urlsplit(part) for part in url.split(";")]
    if "master_name" not in options:
        raise ImproperlyConfigured("A sentinel:// URL needs master_name in CELERY_BROKER_TRANSPORT_OPTIONS.")
    password = next((unquote(one.password) for one in addresses if one.password), None)
    database = next((one.path.strip("/") for one in addresses if one.path.strip("/")), "0")
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call] # redis-py has no types for it
        [(one.hostname, one.port or 26379) for one in addresses],
        sentinel_kwargs=options.get("sentinel_kwargs"),
        socket_connect_timeout=common["socket_connect_timeout"],
        socket_timeout=common["socket_timeout"],
    )
    master: redis.Redis = sentinel.master_for(options["master_name"], db=int(database), password=password, **common)
    return master
