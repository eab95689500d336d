"""Scripts on the way of every job: one round trip each, without a pool's bookkeeping.

redis-py checks a connection out of its pool, and back in, around each command; beside a script that takes the server
fifteen microseconds that costs more than the script. So each thread keeps one connection of its own here.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import redis
from redis.exceptions import ConnectionError as ServerGone
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as ServerSilent


class Connections:
    """One connection per thread and process, made as a client's pool would make it."""

    def __init__(self, client: redis.Redis) -> None:
        self._pool: Any = client.connection_pool
        self._mine = threading.local()

    @property
    def database(self) -> int:
        return int(self._pool.connection_kwargs.get("db") or 0)

    def call(self, *command: Any) -> Any:
        """The server's reply. Where the connection breaks, the command is sent once more on a new one."""
        try:
            return self._call_once(command)
        except (ServerGone, ServerSilent):
            return self._call_once(command)

    def _call_once(self, command: Sequence[Any]) -> Any:
        connection = getattr(self._mine, "connection", None)
        if connection is None or connection.pid != os.getpid():  # a forked child must not use its parent's socket
            connection = self._mine.connection = self._made()
        try:
            if not connection.is_connected:
                connection.connect()  # `send_command` would too, but without asking Sentinels where the master is
            connection.send_command(*command, check_health=False)
            return connection.read_response()
        except ResponseError:
            raise  # a whole reply, though a refusal
        except BaseException:
            # Also a time limit that strikes between the two: the reply must not be taken for the next command's.
            connection.disconnect()
            raise

    def _made(self) -> Any:
        # Not by `make_connection`: the pool would count it for ever, also when its thread has ended.
        return self._pool.connection_class(**self._pool.connection_kwargs)


class FastScript:
    """A Lua script, called as `script(keys=[...], args=[...])`. Raises redis.RedisError.

    A script must bear being run twice: a call whose reply is lost is repeated. `on_new_server` is called before the
    script is loaded: this server has been restarted, was a replica until now, or has never been asked for this. The
    server's databases have nothing in common, so each has a script of its own.
    """

    def __init__(
        self, connections: Connections, text: str, on_new_server: Callable[[], object] = lambda: None
    ) -> None:
        self._connections = connections
        self._text = text = f"-- database {connections.database}\n{text}"
        self._on_new_server = on_new_server
        self._sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, *, keys: Sequence[str] = (), args: Sequence[Any]) -> Any:
        try:
            return self._connections.call("EVALSHA", self._sha, len(keys), *keys, *args)
        except NoScriptError:
            self.load()
            return self._connections.call("EVALSHA", self._sha, len(keys), *keys, *args)

    def load(self) -> None:
        self._on_new_server()
        self._connections.call("SCRIPT", "LOAD", self._text)  # unlike EVAL's, never evicted

    def add_to(self, pipeline: Any, *, args: Sequence[Any]) -> None:
        """One more call of a pipeline, which raises NoScriptError where `load` must come first."""
        pipeline.execute_command("EVALSHA", self._sha, 0, *args)
