"""Per process and server: one store to publish and ask with, and one custody where messages are consumed."""

import os
import threading
from typing import Any

import redis
from django.core.exceptions import ImproperlyConfigured

from ..conf import engine_settings
from ..redis_client import CONNECT_TIMEOUT, REPLY_TIMEOUT, new_store
from .custody import Custody
from .store import MessageStore

Address = tuple[Any, ...]

_stores: dict[Address, MessageStore] = {}
_custodies: dict[tuple[int, Address], Custody] = {}
_making = threading.Lock()


def store_of(channel: Any) -> MessageStore:
    """The store behind a kombu channel."""
    pool = channel.pool
    address = (*_address(pool), channel.global_keyprefix)
    with _making:
        if address not in _stores:
            _stores[address] = MessageStore(redis.Redis(connection_pool=_own_pool(channel)), channel.global_keyprefix)
        return _stores[address]


def custody_of(channel: Any) -> Custody:
    """This process's custody on the server behind a kombu channel."""
    store: MessageStore = channel.store
    address = (os.getpid(), (*_address(store.client.connection_pool), store.prefix))
    with _making:
        if address not in _custodies:
            _custodies[address] = Custody(
                store, name=_described(store), holds_engine_state=_holds_engine_state(store)
            )
        return _custodies[address]


def _own_pool(channel: Any) -> Any:
    """A pool like the channel's that outlives it, with time limits: a job must not hang on its bookkeeping."""
    pool = channel._get_pool()  # noqa: SLF001 - the one place where kombu turns its options into an address
    pool.connection_kwargs |= {"socket_connect_timeout": CONNECT_TIMEOUT, "socket_timeout": REPLY_TIMEOUT}
    return pool


def _holds_engine_state(store: MessageStore) -> bool:
    """Whether signs of life that go to this server are the ones that the engine's own state is guarded by."""
    if store.prefix or engine_settings().store_url is not None:
        return False
    try:
        return _address(new_store().connection_pool) == _address(store.client.connection_pool)
    except ImproperlyConfigured:
        return False


def _described(store: MessageStore) -> str:
    """The server in words that may stand in a log."""
    service, path, host, port, database, _ = _address(store.client.connection_pool)
    return f"broker {service or path or f'{host}:{port}'}/{database} {store.prefix}".rstrip()


def _address(pool: Any) -> Address:
    options = pool.connection_kwargs
    return (
        getattr(pool, "service_name", None),
        options.get("path"),
        options.get("host", "localhost") if "path" not in options else None,
        options.get("port", 6379) if "path" not in options else None,
        options.get("db", 0),
        options.get("username"),
    )


def _after_fork() -> None:
    global _making
    _making = threading.Lock()
    _custodies.clear()


os.register_at_fork(after_in_child=_after_fork)
