"""What a supervised process is, before it is started."""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LIFELINE = Path(__file__).with_name("lifeline.py")
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The system user that a process runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How to start one process, and how to end it."""

    name: str  # unique among the processes of a state dir; its log is <state>/log/<name>.log
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))  # all of it
    folder: Path = CHECKOUT
    owner: Owner | None = None  # None: the user of this process
    stop_signal: signal.Signals = signal.SIGTERM
    # What it gets when its supervisor is killed. SIGKILL is for what could wait for servers that end beside it.
    death_signal: signal.Signals = signal.SIGTERM
    ready_text: str | None = None  # what an output line holds once the process is ready; None: unknown
    quiet: bool = False  # True: its output goes to its log only

    def tethered(self) -> list[str]:
        """The full command line, by way of `lifeline.py`: the command ends when the calling process ends."""
        owner = f"{self.owner.uid}:{self.owner.gid}" if self.owner else "-"
        shim = [sys.executable, "-ISB", str(LIFELINE), str(int(self.death_signal)), str(os.getpid()), owner]
        return [*shim, *self.arguments]
