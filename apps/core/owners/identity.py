"""The names of processes that run job bodies."""

import os
import socket
import uuid
from dataclasses import dataclass

PREFIX = "bgjobs:owner:"
QUIET = "bgjobs:quiet"  # while this key exists, the server has not heard of everybody yet: nobody counts as dead


@dataclass(slots=True)
class _Process:
    pid: int
    id: str
    parent: int | None  # the pid of the process whose heartbeat speaks for this one


_this: _Process | None = None
_parent_speaks = False


def owner_id() -> str:
    """The id of this process: the same for its whole life, and no other process's ever."""
    return _process().id


def is_adopted() -> bool:
    return _process().parent is not None


def parent_of_adopted() -> int | None:
    """The pid of the process whose heartbeat speaks for this one; None where this one speaks for itself."""
    return _process().parent


def speak_for_children() -> None:
    """Say in a worker's main process, before it forks: its heartbeat speaks for the children too."""
    global _parent_speaks
    _process()
    _parent_speaks = True


def child_id(pid: int) -> str:
    """The owner id that the child with this pid gives itself."""
    return f"{owner_id()}/{pid}"


def owner_key(owner: str) -> str:
    return PREFIX + owner


def _process() -> _Process:
    global _this
    pid = os.getpid()
    if _this is None or _this.pid != pid:
        forked_from_worker = _this is not None and _parent_speaks and _this.pid == os.getppid()
        if _this is not None and forked_from_worker:
            _this = _Process(pid, f"{_this.id}/{pid}", _this.pid)
        else:
            _this = _Process(pid, f"{socket.gethostname()}:{pid}:{uuid.uuid4().hex[:12]}", None)
    return _this
