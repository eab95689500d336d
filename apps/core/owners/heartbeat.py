"""The thread that says, once a second, that this process and its children are alive."""

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import redis

from ..conf import engine_settings
from ..logs import get_logger
from ..redis_client import new_store
from .identity import child_id, is_adopted, owner_id, owner_key

RENEW = (Path(__file__).parent / "renew.lua").read_text()
STORE: Final = "store"  # the name of the pulse to the server with the engine's own state

log = get_logger(__name__)


class Pulse(Protocol):
    """Says to one server that these owners are alive; this process is the first. Raises redis.RedisError."""

    def __call__(self, owners: Sequence[str]) -> object: ...


class Heartbeat(threading.Thread):
    """Lets every pulse beat for this process and for the children that `children` names by pid.

    Between two beats it does its chores: each returns the seconds until it is to be done again, or None where it can
    wait for the next beat or `poke`. Clients are its own, so that no lock of one is ever held by another thread when
    the process forks.
    """

    def __init__(self, pulses: dict[str, Pulse], children: Callable[[], Iterable[int]] = tuple) -> None:
        super().__init__(name="bgjobs-heartbeat", daemon=True)
        self.pid = os.getpid()
        self.children = children
        self.pulses = pulses
        self.chores: tuple[Callable[[], float | None], ...] = ()
        self.farewells: tuple[Callable[[], object], ...] = ()
        self._poked = threading.Event()
        self._stopped = False
        self._silent_since: dict[str, float] = {}

    def run(self) -> None:
        next_beat = time.monotonic() + engine_settings().heartbeat_every
        while not self._stopped:
            waits = [wait for chore in self.chores if (wait := self._survived(chore)) is not None]
            self._poked.wait(max(min([next_beat - time.monotonic(), *waits]), 0.0))
            self._poked.clear()
            if time.monotonic() >= next_beat and not self._stopped:
                next_beat = time.monotonic() + engine_settings().heartbeat_every
                self._survived(self.beat)

    def beat(self) -> None:
        """One beat of every pulse. A server that does not answer is logged once, and again when it is back."""
        owners = [owner_id(), *(child_id(pid) for pid in self.children() if not has_exited(pid))]
        for name, pulse in tuple(self.pulses.items()):
            try:
                pulse(owners)
            except redis.RedisError as error:
                if name not in self._silent_since:
                    self._silent_since[name] = time.monotonic()
                    log.warning("heartbeat.failed", server=name, error=type(error).__name__)
            else:
                if (since := self._silent_since.pop(name, None)) is not None:
                    log.warning("heartbeat.recovered", server=name, seconds=round(time.monotonic() - since, 1))

    def _survived(self, step: Callable[[], float | None]) -> float | None:
        """Take a step that must not end the thread: a process that falls silent is taken for dead while it works."""
        try:
            return step()
        except Exception:
            log.exception("heartbeat.stumbled")
            return None

    def poke(self) -> None:
        """Do the chores now."""
        self._poked.set()

    def stop(self) -> None:
        self._stopped = True
        self._poked.set()


def store_pulse(client: redis.Redis) -> Pulse:
    """The pulse to the server with the engine's own state."""
    renew: Any = client.register_script(RENEW)

    def pulse(owners: Sequence[str]) -> None:
        renew(keys=[owner_key(owner) for owner in owners], args=[int(engine_settings().dead_after * 1000)])

    return pulse


_running: Heartbeat | None = None
_starting = threading.Lock()
_announced: int | None = None  # the pid of the child that has


def ensure_heartbeat(children: Callable[[], Iterable[int]] | None = None) -> None:
    """Start this process's heartbeat unless it, or its parent's for it, beats already."""
    if is_adopted():
        _announce()
        return
    if _beats() and children is None:
        return
    with _starting:
        heartbeat = _started()
        if children is not None:
            heartbeat.children = children


def add_pulse(
    name: str,
    pulse: Pulse,
    *,
    chore: Callable[[], float | None],
    farewell: Callable[[], object],
    instead_of: str | None = None,
) -> Heartbeat:
    """Let this process's heartbeat speak to one more server, do one more chore, and end with a farewell.

    `instead_of` names a pulse to the very same server, which is then one too many.
    """
    with _starting:
        heartbeat = _started()
        if instead_of is not None:
            heartbeat.pulses.pop(instead_of, None)
        heartbeat.pulses[name] = pulse
        heartbeat.chores = (*heartbeat.chores, chore)
        heartbeat.farewells = (*heartbeat.farewells, farewell)
    with suppress(redis.RedisError):
        pulse([owner_id()])
    heartbeat.poke()
    return heartbeat


def end_heartbeat() -> None:
    """Say that this process is done: what it held may be taken over at once, not only when its silence is noticed.

    Children that still run are killed first: nothing may be taken over while it runs.
    """
    if _running is None or not _beats():
        return
    _running.stop()
    _running.join()
    for pid in _running.children():
        if not has_exited(pid):
            os.kill(pid, signal.SIGKILL)
    for farewell in _running.farewells:
        with suppress(redis.RedisError):
            farewell()
    with suppress(redis.RedisError):
        new_store().delete(owner_key(owner_id()))


def _started() -> Heartbeat:
    global _running
    if _running is None or not _beats():
        _running = Heartbeat({STORE: store_pulse(new_store())})
        _running.beat()
        _running.start()
        atexit.register(end_heartbeat)
    return _running


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
