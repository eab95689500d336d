"""Scripts on the way of every job: one round trip each, without a pool's bookkeeping.

redis-py checks a connection out of its pool, and back in, around each command; beside a script that takes the server
fifteen microseconds that costs more than the script. So each thread keeps one connection of its own here.
"""

import hashlib
import os
import threading
from collections.abc import Sequence
from typing import Any

import redis
from redis.exceptions import ConnectionError as ServerGone
from redis.exceptions import NoScriptError
from redis.exceptions import TimeoutError as ServerSilent


class FastScript:
    """A Lua script, called as `script(keys=[...], args=[...])`. Raises redis.RedisError.

    Where a connection breaks the call is repeated once on a new one, so a script must bear being run twice.
    """

    def __init__(self, client: redis.Redis, text: str) -> None:
        self._connections = _connections_of(client)
        self._text = text
        self._sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, *, keys: Sequence[str], args: Sequence[Any]) -> Any:
        try:
            return self._connections.call("EVALSHA", self._sha, len(keys), *keys, *args)
        except NoScriptError:  # a server that has been restarted
            return self._connections.call("EVAL", self._text, len(keys), *keys, *args)


class _Connections:
    """One connection per thread and process, made as the client's pool would make it."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._mine = threading.local()

    def call(self, *command: Any) -> Any:
        try:
            return self._call_once(command)
        except (ServerGone, ServerSilent):
            self._drop()
        try:
            return self._call_once(command)
        except (ServerGone, ServerSilent):
            self._drop()
            raise

    def _call_once(self, command: Sequence[Any]) -> Any:
        connection = getattr(self._mine, "connection", None)
        if connection is None or connection.pid != os.getpid():  # a forked child must not use its parent's socket
            connection = self._mine.connection = self._pool.make_connection()
        connection.send_command(*command, check_health=False)
        return connection.read_response()

    def _drop(self) -> None:
        self._mine.connection.disconnect()
        self._mine.connection = None


_of_pools: dict[int, _Connections] = {}


def _connections_of(client: redis.Redis) -> _Connections:
    """The connections that all scripts of one client share."""
    pool = client.connection_pool
    known = _of_pools.get(id(pool))
    if known is None or known._pool is not pool:  # noqa: SLF001 - this module's own
        known = _of_pools[id(pool)] = _Connections(pool)
    return known
