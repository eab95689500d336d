"""`make stop` and `make clean`: end what runs in a state dir, and remove what is in it."""

import shutil
from pathlib import Path

from . import postgres_place, roles
from .output import Terminal
from .record import Record, Taken, holder
from .state import chosen_state_dir

PATIENCE = 12.0  # seconds; what is ended in order needs less than 10
# What is written to a state dir. Nothing else in it is touched: it may be a folder that holds other things too.
CONTENTS = ("log", "mail", "running", "tmp", "valkey", "postgres", "postgres_password", "ports.json", "services.json")
CONTENTS_OF_PROJECT = ("secret_key", "admin_password", "static")


def stop() -> None:
    state_dir, terminal = chosen_state_dir(), Terminal()
    ended = [role for role in roles.WHAT if _end(state_dir, role, terminal)]
    if not ended:
        terminal.say("Nothing is running.")


def discard() -> None:
    """Removes all data of a state dir. Call `stop` first."""
    state_dir = chosen_state_dir()
    postgres_place.discard(state_dir)
    for pattern in CONTENTS + CONTENTS_OF_PROJECT:
        for path in state_dir.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if state_dir.is_dir() and not any(state_dir.iterdir()):
        state_dir.rmdir()


def _end(state_dir: Path, role: str, terminal: Terminal) -> bool:
    """Ends the holder of a role and what it has left behind. True when there was something."""
    path = roles.record_path(state_dir, role)
    entry = holder(path)
    if entry:
        in_order = entry.holder.end(PATIENCE)
        terminal.say(f"Ended {roles.WHAT[role]} (pid {entry.holder.pid}){'' if in_order else ' by force'}.")
    if not path.exists():
        return entry is not None
    try:
        record = Record(path)
    except Taken:  # by a new start
        return True
    cleaned = record.end_left_behind()
    record.release()
    if cleaned and not entry:
        terminal.say(f"Cleaned up {roles.WHAT[role]}: it had been ended by force.")
    return True
