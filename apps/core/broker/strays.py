"""Leases that outlived what they were for: a server whose data has gone back in time knows them again.

Their owner has acknowledged them, or given them back, in what for the server has not happened. It lives, so nobody
rescues what it holds, and would keep them until it ends.
"""

from collections.abc import Callable
from typing import Final

LOOKS: Final = 3  # at a new server, a heartbeat apart; what is a stray at two of them is one

Known = Callable[[], set[str]]


class Strays:
    """Finds the strays among the leases of one process on one server."""

    def __init__(self) -> None:
        self._server = -1
        self._looks = 0
        self._suspects: set[str] = set()

    def look(self, server: int, leases: Known, known: Known, last_call: int) -> list[str]:
        """`server`: changes with each new server. `leases`: that it knows; `known`: that this process does.

        A lease of a call behind `last_call` is on its way here. Raises what `leases` raises.
        """
        if server != self._server:
            self._server, self._looks, self._suspects = server, LOOKS, set()
        if self._looks == 0:
            return []
        found = {lease for lease in leases() - known() if int(lease.partition("-")[0]) <= last_call}
        strays, self._suspects = found & self._suspects, found
        self._looks -= 1
        return sorted(strays)
