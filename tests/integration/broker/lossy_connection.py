"""A connection that loses requests and replies, or its server, at the moments that a test names."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import redis

Fault = Literal["", "request lost", "reply lost", "server killed"]


class LossyConnection(redis.Connection):
    """`faults` strike the commands that this thread sends next; handshakes and the loading of scripts are spared."""

    faults: ClassVar[deque[Fault]] = deque()
    kill_server: ClassVar[Callable[[], None]]
    answered = 0  # commands that the server has executed, or refused
    scripts_answered = 0  # those of them that were scripts
    unanswered = 0  # that it may have executed before it was killed
    thread = 0

    _fault: Fault = ""
    _command = ""

    @classmethod
    def expect(cls, faults: list[Fault]) -> None:
        cls.faults = deque(faults)
        cls.thread = threading.get_ident()
        cls.answered = cls.scripts_answered = cls.unanswered = 0

    def send_command(self, *args: Any, **kwargs: Any) -> None:
        is_counted = args[0] in ("EVALSHA", "HDEL") and threading.get_ident() == self.thread
        fault: Fault = self.faults.popleft() if is_counted and self.faults else ""
        if fault == "request lost":
            self.disconnect()
            raise redis.ConnectionError(fault)
        super().send_command(*args, **kwargs)
        if is_counted:
            self._command, self._fault = args[0], fault

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        command, self._command = self._command, ""
        fault, self._fault = self._fault, ""
        if not command:
            return super().read_response(*args, **kwargs)
        if fault == "server killed":
            type(self).kill_server()
        try:
            reply = super().read_response(*args, **kwargs)
        except redis.exceptions.NoScriptError:
            raise
        except redis.ResponseError as error:
            self._count(command)
            reply = error
        except redis.ConnectionError:
            LossyConnection.unanswered += 1
            raise
        else:
            self._count(command)
        if fault == "reply lost":
            self.disconnect()
            raise redis.ConnectionError(fault)
        if isinstance(reply, redis.ResponseError):
            raise reply
        return reply

    def _count(self, command: str) -> None:
        LossyConnection.answered += 1
        LossyConnection.scripts_answered += command == "EVALSHA"
