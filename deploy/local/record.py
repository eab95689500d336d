"""Who runs what in a state dir: the claim of one process on a role, which no later process can mistake.

The claim is a lock on an open file; the kernel drops it when its holder ends, however that comes about. The file's
text only tells others whom to ask, and whoever finds it without a holder what to clean up.
"""

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil

CLOCK_TOLERANCE = 2.0  # seconds by which a start time may seem to move when the clock is set


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """One process for ever: its number alone may belong to another one by now."""

    pid: int
    started: float  # seconds since the epoch

    @classmethod
    def of(cls, pid: int) -> Self:
        """Raises psutil.NoSuchProcess."""
        return cls(pid=pid, started=psutil.Process(pid).create_time())

    def is_alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < CLOCK_TOLERANCE
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def end(self, grace: float) -> bool:
        """SIGTERM, and SIGKILL to its group `grace` seconds later. True when it went by itself."""
        with contextlib.suppress(ProcessLookupError):
            if self.is_alive():
                os.kill(self.pid, signal.SIGTERM)
        if self.is_gone_within(grace):
            return True
        with contextlib.suppress(ProcessLookupError):
            if self.is_alive():
                (os.killpg if os.getpgid(self.pid) == self.pid else os.kill)(self.pid, signal.SIGKILL)
        self.is_gone_within(5)
        return False

    def is_gone_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while alive := self.is_alive():
            if time.monotonic() >= until:
                break
            time.sleep(0.05)
        return not alive


def end_session(leader: Identity) -> None:
    """Kills what an ended process has left in its session. A number in use there is not given to a new process."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            later = process.create_time() > leader.started - CLOCK_TOLERANCE
            if later and process.pid != leader.pid and os.getsid(process.pid) == leader.pid:
                process.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a record file says."""

    holder: Identity
    url: str = ""  # where its web pages are; empty: none
    processes: tuple[Identity, ...] = ()  # those that it has started

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for a text that was cut short."""
        try:
            values = json.loads(text)
            return cls(
                holder=Identity(**values["holder"]),
                url=str(values["url"]),
                processes=tuple(Identity(**process) for process in values["processes"]),
            )
        except (ValueError, KeyError, TypeError):
            return None


class Taken(Exception):  # noqa: N818 - losing is a normal outcome
    """Another process holds the role."""

    def __init__(self, entry: Entry | None) -> None:
        super().__init__("taken")
        self.entry = entry  # None: it has only just begun


class Record:
    """A role in a state dir, held by this process."""

    def __init__(self, path: Path, url: str = "") -> None:
        """Raises Taken when another process holds it."""
        self._path = path
        self._file = _lock(path)
        self.left_behind = Entry.parse(_text(self._file))  # by a holder that ended without cleaning up
        self._entry = Entry(holder=Identity.of(os.getpid()), url=url)
        self._write()

    def end_left_behind(self) -> bool:
        """Ends what an earlier holder has left running. True when there was such a holder."""
        if self.left_behind is None:
            return False
        for process in self.left_behind.processes:
            process.is_gone_within(2)  # each has had a signal when its supervisor ended
            process.end(grace=3)
            end_session(process)
        return True

    def note(self, pids: Iterable[int]) -> None:
        """Remembers the processes that this one has started."""
        identities = []
        for pid in pids:
            with contextlib.suppress(psutil.NoSuchProcess):
                identities.append(Identity.of(pid))
        self._entry = Entry(holder=self._entry.holder, url=self._entry.url, processes=tuple(identities))
        self._write()

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _write(self) -> None:
        text = json.dumps(asdict(self._entry)).encode()
        with contextlib.suppress(OSError):  # a full disk must not end what runs
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, text, 0)


def holder(path: Path) -> Entry | None:
    """Who holds the role now, if anybody does."""
    until = time.monotonic() + 2
    while _is_locked(path):
        with contextlib.suppress(FileNotFoundError):
            if (entry := Entry.parse(path.read_text())) or time.monotonic() > until:
                return entry
        time.sleep(0.02)  # it has the lock and is about to write
    return None


def _is_locked(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(file)


def _lock(path: Path) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            entry = Entry.parse(_text(file))
            os.close(file)
            raise Taken(entry) from None
        if _is_at(file, path):
            return file
        os.close(file)  # its holder has just removed it: what is locked here is no longer the record


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _text(file: int) -> str:
    return os.pread(file, 1 << 20, 0).decode(errors="replace")
