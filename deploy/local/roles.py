"""The two things that one process at a time may do in a state dir."""

from pathlib import Path

from .errors import LocalError
from .output import Terminal
from .record import Record, Taken

RUN = "run"  # `make run`: web, beat and workers
SERVICES = "services"  # the embedded servers: `make services`, or `make run` where that came first
WHAT = {RUN: "what `make run` started", SERVICES: "the embedded servers"}


def record_path(state_dir: Path, role: str) -> Path:
    return state_dir / "running" / f"{role}.json"


def take(state_dir: Path, role: str, terminal: Terminal, url: str = "") -> Record:
    """Raises Taken. What an earlier holder has left behind is ended first."""
    record = Record(record_path(state_dir, role), url)
    if record.end_left_behind():
        terminal.say(f"Cleaned up {WHAT[role]}: an earlier start had been ended by force.")
    return record


def already_running(taken: Taken) -> LocalError:
    if taken.entry is None:
        return LocalError("Another start is under way here: wait a moment and repeat.")
    pid, url = taken.entry.holder.pid, taken.entry.url
    return LocalError(f"Already running (pid {pid}): open {url}, or end it with `make stop`.")
