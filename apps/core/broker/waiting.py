"""Waiting for messages without asking: blocking commands on connections of their own.

An owner is woken through a list of its own. Whoever is the scout of a queue also watches the queue's list itself:
`BLMOVE list list RIGHT RIGHT` moves the list's end onto itself, so it returns when there is something and takes
nothing away, whoever pushed it.
"""

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import redis

LONGEST: Final = 30  # seconds after which the server answers in any case
OVERDUE: Final = 10.0  # seconds more, after which the connection is taken for dead
REFUSED_FOR: Final = 1.0  # seconds until a wait that the server refuses is tried again


class Wait:
    """One blocking command on its connection."""

    def __init__(self, connection: Any, command: tuple[Any, ...]) -> None:
        self._connection = connection
        self._command = command
        self._sent_at: float | None = None
        self._refused_until = 0.0

    def begin(self) -> int | None:
        """Send the command unless it is under way. Returns the descriptor that becomes readable with the answer.

        None while the server refuses it; the heartbeat then notices what there is.
        """
        if time.monotonic() < self._refused_until:
            return None
        if self._sent_at is not None and time.monotonic() - self._sent_at > LONGEST + OVERDUE:
            self.close()
        if self._sent_at is None:
            if not self._connection.is_connected:
                self._connection.connect()  # `send_command` would not ask Sentinels where the master is
            self._connection.send_command(*self._command, check_health=False)
            self._sent_at = time.monotonic()
        return int(self._connection._sock.fileno())  # noqa: SLF001 - redis-py offers no other way to poll

    def end(self) -> None:
        """Read the answer, which says no more than that it is there."""
        self._sent_at = None
        try:
            self._connection.read_response()
        except redis.ResponseError:
            self._refused_until = time.monotonic() + REFUSED_FOR
        except redis.RedisError:
            self.close()

    def close(self) -> None:
        self._sent_at = None
        self._connection.disconnect()


class Waits:
    """The waits of one consumer."""

    def __init__(self, connect: Callable[[], Any], *, wake_key: str, prefix: str) -> None:
        self._connect = connect
        self._wake = ("BLPOP", wake_key, LONGEST)
        self._prefix = prefix
        self._waits: dict[str | None, Wait] = {}  # by the queue that is watched; None: the owner's own list
        self.descriptors: dict[int, Wait] = {}

    def begin(self, watched: Iterable[str]) -> None:
        """Wait for a wake-up, and for anything in these queues."""
        for queue in (None, *watched):
            if queue not in self._waits:
                self._waits[queue] = Wait(self._connect(), self._command(queue))
            self._begin(self._waits[queue])

    def end(self, descriptor: int) -> None:
        """The descriptor is readable."""
        wait = self.descriptors.pop(descriptor)
        wait.end()

    def close(self) -> None:
        for wait in self._waits.values():
            with contextlib.suppress(redis.RedisError, OSError):
                wait.close()
        self._waits.clear()
        self.descriptors.clear()

    def _begin(self, wait: Wait) -> None:
        descriptor = wait.begin()
        if descriptor is None:
            return
        for old, other in tuple(self.descriptors.items()):
            if other is wait and old != descriptor:
                del self.descriptors[old]
        self.descriptors[descriptor] = wait

    def _command(self, queue: str | None) -> tuple[Any, ...]:
        if queue is None:
            return self._wake
        key = self._prefix + queue
        return ("BLMOVE", key, key, "RIGHT", "RIGHT", LONGEST)
