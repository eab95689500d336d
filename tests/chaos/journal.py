"""An append-only file beside the servers, to which every process of a run writes one line for each thing it does."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

PLACE = "CHAOS_JOURNAL"  # environment variable with the file's path


@dataclass(frozen=True, slots=True)
class Line:
    deed: str  # a word, such as "published", "refused", "start" and "end"
    number: int  # of the job
    at: float  # seconds since the epoch
    pid: int


def write(deed: str, number: int) -> None:
    """One write call, so that no line is ever mixed with another; kill -9 cannot take it back."""
    file = os.open(os.environ[PLACE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, f"{deed} {number} {time.time():.6f} {os.getpid()}\n".encode())
    os.close(file)


def read(path: Path) -> list[Line]:
    """All lines so far, in the order in which they were written."""
    if not path.exists():
        return []
    parts = (line.split() for line in path.read_text().splitlines())
    return [Line(deed, int(number), float(at), int(pid)) for deed, number, at, pid in parts]
