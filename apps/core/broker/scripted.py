"""A server, and the scripts (lua/) that run on it for one installation."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import redis

from ..fast_script import Connections, FastScript
from ..metrics.events import EDGES, OTHER_TASKS, RUNS_KEPT, RUNS_TOGETHER
from ..owners import keep_quiet

LUA: Final = Path(__file__).parent / "lua"


class Scripted:
    def __init__(self, client: redis.Redis, prefix: str = "") -> None:
        self.client = client
        self.prefix = prefix
        self.connections = Connections(client)
        self.server = 0  # another number whenever this process has met a new server: restarted, or the master now
        self._scripts: dict[str, FastScript] = {}

    def key(self, *parts: str) -> str:
        """The full name of one of the engine's keys, as in key("leases", owner)."""
        return f"{self.prefix}bgjobs:{':'.join(parts)}"

    def run(self, name: str, *arguments: Any) -> Any:
        """The reply of one of the scripts. Raises redis.RedisError."""
        return self.script(name)(args=[self.prefix, *arguments])

    def script(self, name: str) -> FastScript:
        found = self._scripts.get(name)
        if found is None:
            # The prefix is part of it: installations with one server have nothing in common.
            text = f"-- prefix {self.prefix!r}\n{_text(name)}"
            found = self._scripts[name] = FastScript(self.connections, text, on_new_server=self._meet)
        return found

    def _meet(self) -> None:
        self.server += 1
        keep_quiet(self.connections, self.prefix)


@cache
def _text(name: str) -> str:
    """With what all scripts share, and the numbers that readers of Python know, too."""
    shared = f"local EDGES = {{{', '.join(map(repr, EDGES))}}}\n"
    shared += f"local OTHER_TASKS = {OTHER_TASKS!r}\n"
    shared += f"local RUNS_KEPT, RUNS_TOGETHER = {RUNS_KEPT}, {RUNS_TOGETHER}\n"
    return shared + "".join((LUA / f"{part}.lua").read_text() for part in ("common", "counts", name))
