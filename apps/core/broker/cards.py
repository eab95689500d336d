"""What each worker says of itself once a second, in the step in which it says that it lives."""

import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Protocol, Self

MOST_JOBS: Final = 64  # that a card names
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningJob:
    job: str
    task: str
    queue: str
    since: float  # seconds since the epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """None: the worker does not say."""

    owner: str
    node: str  # its name in Celery
    host: str
    pid: int
    pool: str
    queues: tuple[str, ...]
    slots: int | None
    busy: int
    rss_bytes: int | None
    version: str | None  # of the project that it runs
    started_at: float
    at: float  # when it said so
    jobs: tuple[RunningJob, ...]  # the longest-running first, MOST_JOBS at most

    @classmethod
    def read(cls, owner: str, text: bytes) -> Self | None:
        """None where the text is no card."""
        try:
            told = json.loads(text)
            jobs = tuple(RunningJob(**job) for job in told.pop("jobs"))
            return cls(owner=owner, jobs=jobs, queues=tuple(told.pop("queues")), **told)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


class Running(Protocol):
    """Celery's request of a job that runs."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str:
        """Of its task."""

    @property
    def message(self) -> Any: ...
    @property
    def time_start(self) -> float | None: ...


class Writer:
    """Writes the card of this process."""

    def __init__(self, *, node: str, pool: str, slots: Callable[[], int | None]) -> None:
        self._facts = {
            "node": node,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "pool": pool,
            "version": _version(),
            "started_at": round(time.time(), 3),
        }
        self._slots = slots

    def write(self, queues: Iterable[str], running: Iterable[Running]) -> str:
        now = time.time()
        jobs = sorted(((one.time_start or now, one) for one in running), key=itemgetter(0))
        told = self._facts | {
            "queues": list(queues),
            "slots": self._slots(),
            "busy": len(jobs),
            "rss_bytes": _resident(),
            "at": round(now, 3),
            "jobs": [
                {"job": one.id, "task": one.name, "queue": one.message.entry.queue, "since": round(since, 3)}
                for since, one in jobs[:MOST_JOBS]
            ],
        }
        return json.dumps(told)


def writer_of(consumer: Any) -> Writer:
    """For the process of a worker's consumer."""
    pool = type(consumer.pool).__module__.rpartition(".")[2]

    def slots() -> int | None:
        found = getattr(consumer.pool, "num_processes", None) or consumer.initial_prefetch_count
        return int(found) or None

    return Writer(node=consumer.hostname, pool=pool, slots=slots)


def _version() -> str | None:
    try:
        return metadata.version("intelliwiz-background-jobs")
    except metadata.PackageNotFoundError:
        return None


def _resident() -> int | None:
    """Bytes in memory of this process and not of its children."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    except (OSError, ValueError, IndexError):  # not on Linux
        return None
