"""Leases that outlived what they were for: a server whose data has gone back in time knows them again.

Their owner has acknowledged them, or given them back, in what for the server has not happened. It lives, so nobody
rescues what it holds, and would keep them until it ends.
"""

import time
from collections.abc import Callable
from typing import Final

LOOKS: Final = 3  # at a new server; what is a stray at two of them is one
APART: Final = 0.2  # seconds at least between two of them: one that comes late is followed by the next at once

Known = Callable[[], set[str]]


class Strays:
    """Finds the strays among the leases of one process on one server."""

    def __init__(self) -> None:
        self._server = -1
        self._looks = 0
        self._suspects: set[str] = set()
        self._looked_at = 0.0

    def look(self, server: int, leases: Known, known: Known, last_call: int) -> list[str]:
        """`server`: changes with each new server. `leases`: that it knows; `known`: that this process does.

        A lease of a call behind `last_call` is on its way here. Raises what `leases` raises.
        """
        if server != self._server:
            self._server, self._looks, self._suspects, self._looked_at = server, LOOKS, set(), 0.0
        if self._looks == 0 or time.monotonic() < self._looked_at + APART:
            return []
        ours = known()  # first: what is acknowledged while the server is asked was known up to then
        found = {lease for lease in leases() - ours if int(lease.partition("-")[0]) <= last_call}
        self._looked_at = time.monotonic()
        strays, self._suspects = found & self._suspects, found
        self._looks -= 1
        return sorted(strays)
