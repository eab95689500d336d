"""The heartbeat of Celery workers: their main process speaks for the pool's children."""

from collections.abc import Callable, Iterable
from typing import Any

from celery import signals

from .children import die_with_parent
from .heartbeat import end_heartbeat, ensure_heartbeat
from .identity import speak_for_children


def observe() -> None:
    """Let workers say that they are alive. Connecting twice has no further effect."""
    signals.worker_init.connect(_before_forking)
    signals.worker_process_init.connect(_in_child)
    signals.worker_ready.connect(_ready)
    signals.worker_shutdown.connect(_ended)


def _before_forking(**_: Any) -> None:
    speak_for_children()


def _in_child(**_: Any) -> None:
    die_with_parent()


def _ready(*, sender: Any, **_: Any) -> None:
    ensure_heartbeat(_pids_of(sender.pool))


def _ended(**_: Any) -> None:
    end_heartbeat()


def _pids_of(pool: Any) -> Callable[[], Iterable[int]]:
    """The pids of a prefork pool's children as they are at each call; none for threads and solo."""
    processes = getattr(pool, "_pool", None)
    # One that is about to be forked has no pid yet.
    return lambda: [pid for process in tuple(getattr(processes, "_pool", ())) if (pid := process.pid) is not None]
