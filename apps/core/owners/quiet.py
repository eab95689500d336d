"""A server that has just come back, or has just become the master, has not heard of everybody yet."""

import hashlib
from typing import Any, Final, Protocol

from ..conf import engine_settings
from .identity import QUIET

BEATS: Final = 3  # of the heartbeat: a live process looks for its server with each one


class Server(Protocol):
    @property
    def database(self) -> int: ...
    def call(self, *command: Any) -> Any: ...


def keep_quiet(server: Server, prefix: str = "") -> None:
    """Let nobody count as dead until everybody has had the time to say that it lives. Once for each new server.

    A server's scripts are as old as itself, so a script that does nothing marks one that is known.
    """
    mark = f"return 'known to {server.database} {prefix}'"
    if server.call("SCRIPT", "EXISTS", hashlib.sha1(mark.encode(), usedforsecurity=False).hexdigest()) == [1]:
        return
    server.call("SET", prefix + QUIET, "1", "PX", int(BEATS * engine_settings().heartbeat_every * 1000))
    server.call("SCRIPT", "LOAD", mark)
