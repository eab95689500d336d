"""Ending on request: the first Ctrl-C or SIGTERM ends in order, the second one at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The user wants this to end. Not an Exception, so that nothing on the way takes it for an error."""


class EndRequests:
    """What happens when the user asks for the end."""

    def __init__(self) -> None:
        self.in_haste: Callable[[], None] = lambda: None  # called when the end is asked for while it is under way
        self._is_ending = False

    def begin_ending(self) -> None:
        """From here on a request does not interrupt, but hastens."""
        self._is_ending = True

    def receive(self, number: int, frame: FrameType | None) -> None:
        """A signal handler."""
        if self._is_ending:
            self.in_haste()
        else:
            self._is_ending = True
            raise Interrupted


@contextmanager
def end_requests() -> Iterator[EndRequests]:
    """A block that ends when the user asks for it."""
    requests = EndRequests()
    for number in ENDING:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup has asked for it
            signal.signal(number, requests.receive)
    with suppress(Interrupted):
        yield requests


def wait_for_request() -> None:
    """Sleeps until the block is ended."""
    while True:
        signal.pause()
