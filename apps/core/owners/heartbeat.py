"""The thread that says, once a second, that this process and its children are alive."""

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import redis

from ..conf import engine_settings
from ..logs import get_logger
from ..redis_client import new_store
from .identity import child_id, is_adopted, owner_id, owner_key

RENEW = (Path(__file__).parent / "renew.lua").read_text()

log = get_logger(__name__)


class Heartbeat(threading.Thread):
    """Renews the owner keys of this process and of the children that `children` names by pid.

    It has a client of its own, so that no lock of it is ever held by another thread when the process forks.
    """

    def __init__(self, client: redis.Redis, children: Callable[[], Iterable[int]] = tuple) -> None:
        super().__init__(name="bgjobs-heartbeat", daemon=True)
        self.pid = os.getpid()
        self.children = children
        self._renew = client.register_script(RENEW)
        self._stopped = threading.Event()
        self._silent_since: float | None = None

    def run(self) -> None:
        while not self._stopped.wait(engine_settings().heartbeat_every):
            self.beat()

    def beat(self) -> None:
        """One renewal. A server that does not answer is logged once, and again when it is back."""
        owners = [owner_id(), *(child_id(pid) for pid in self.children() if not has_exited(pid))]
        dead_after = int(engine_settings().dead_after * 1000)
        try:
            self._renew(keys=[owner_key(owner) for owner in owners], args=[dead_after])
        except redis.RedisError as error:
            if self._silent_since is None:
                self._silent_since = time.monotonic()
                log.warning("heartbeat.failed", error=type(error).__name__)
        else:
            if self._silent_since is not None:
                log.warning("heartbeat.recovered", seconds=round(time.monotonic() - self._silent_since, 1))
                self._silent_since = None

    def stop(self) -> None:
        self._stopped.set()


_running: Heartbeat | None = None
_starting = threading.Lock()
_announced: int | None = None  # the pid of the child that has


def ensure_heartbeat(children: Callable[[], Iterable[int]] | None = None) -> None:
    """Start this process's heartbeat unless it, or its parent's for it, beats already."""
    global _running
    if is_adopted():
        _announce()
        return
    if _beats() and children is None:
        return
    with _starting:
        if not _beats():
            _running = Heartbeat(new_store())
            _running.beat()
            _running.start()
        if children is not None and _running is not None:
            _running.children = children


def end_heartbeat() -> None:
    """Say that this process is done: what it held may be taken over at once, not only when its silence is noticed."""
    if _running is not None and _beats():
        _running.stop()
        _running.join()
        with suppress(redis.RedisError):
            new_store().delete(owner_key(owner_id()))


def _announce() -> None:
    """Say once, in a child, that it is alive; from then on the parent says so."""
    global _announced
    if _announced != os.getpid():
        new_store().set(owner_key(owner_id()), "1", px=int(engine_settings().dead_after * 1000))
        _announced = os.getpid()


def has_exited(pid: int) -> bool:
    """Whether a child of this process has ended, without taking its exit status from whoever waits for it."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _beats() -> bool:
    return _running is not None and _running.pid == os.getpid() and _running.is_alive()


def _after_fork() -> None:
    global _starting
    _starting = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
