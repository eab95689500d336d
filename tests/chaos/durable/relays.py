"""The relays of a run, restarted when they die."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from random import Random

from deploy.local.command import Command
from deploy.local.supervisor import Supervisor

from .scenario import RELAYS

GRACE = 5.0  # seconds for them to end


class Relays:
    def __init__(self, supervisor: Supervisor, environment: Callable[[str], Mapping[str, str]]) -> None:
        """`environment` is asked by a relay's name."""
        self._supervisor = supervisor
        self._commands = [
            Command(
                name=name,
                arguments=(sys.executable, "-m", "tests.chaos.durable.relay"),
                environment=environment(name),
                ready_text="relay ready.",
                quiet=True,
            )
            for name in RELAYS
        ]

    def start(self) -> None:
        self._supervisor.start(*self._commands)

    def stop(self) -> None:
        self._supervisor.stop(RELAYS, GRACE)

    def kill_one(self, chance: Random) -> frozenset[int]:
        """kill -9 of one that runs, or of the first one to run again. Returns who dies of it."""
        while not (pids := [pid for name in RELAYS if (pid := self._supervisor.pid(name)) is not None]):
            time.sleep(0.05)
        pid = chance.choice(pids)
        os.kill(pid, signal.SIGKILL)
        return frozenset({pid})
