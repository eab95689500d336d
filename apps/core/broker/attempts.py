"""The attempts of one process: those that run, and what counts of those that have ended until the server knows it.

Threads of jobs, the event loop and the heartbeat meet here; each step is one operation of a dictionary or set.
"""

from collections.abc import Iterable, Mapping, Sequence

from .cards import Running, Writer


class Attempts:
    def __init__(self) -> None:
        self.notes: dict[str, str] = {}  # by lease: of attempts that ended and are not told yet
        self.writer: Writer | None = None  # of a worker's card
        self._running: dict[str, Running] = {}  # by lease
        self._known: set[str] = set()  # of those the server knows that they have begun

    def begin(self, lease: str, running: Running) -> None:
        self._running[lease] = running

    def end(self, lease: str) -> None:
        """However it ends."""
        self._running.pop(lease, None)
        self._known.discard(lease)

    def told(self, leases: Iterable[str]) -> None:
        """The server knows how these have ended."""
        for lease in leases:
            self.notes.pop(lease, None)

    def begun(self) -> Mapping[str, Running]:
        """Those of which the server does not know yet that they have begun."""
        return {lease: one for lease, one in list(self._running.items()) if lease not in self._known}

    def told_begun(self, leases: Iterable[str]) -> None:
        self._known.update(leases)
        self._known.intersection_update(list(self._running))  # some have ended meanwhile

    def card(self, queues: Sequence[str]) -> str:
        """What this process says of itself; "" where it is no worker."""
        return self.writer.write(queues, list(self._running.values())) if self.writer else ""
