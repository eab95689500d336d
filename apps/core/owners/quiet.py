"""A server that has just come back, or has just become the master, has not heard of everybody yet."""

from typing import Any, Protocol

from ..conf import engine_settings
from .identity import QUIET


class Server(Protocol):
    def call(self, *command: Any) -> Any: ...


def keep_quiet(server: Server, prefix: str = "") -> None:
    """Let nobody count as dead until everybody has had the time to say that it lives."""
    server.call("SET", prefix + QUIET, "1", "NX", "PX", int(engine_settings().dead_after * 1000))
