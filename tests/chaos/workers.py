"""The workers of a run, restarted when they die."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from random import Random

import psutil

from apps.core.queues import Pool
from deploy.local.command import Command
from deploy.local.supervisor import Supervisor

from .scenario import QUEUES

POOLS = (
    Pool(name="prefork-1", queues=QUEUES, concurrency=4),
    Pool(name="prefork-2", queues=QUEUES, concurrency=4),
    Pool(name="threads", queues=QUEUES, concurrency=4, kind="threads"),
)
NAMES = frozenset(pool.name for pool in POOLS)
START = 60.0  # seconds until they are ready
GRACE = 15.0  # seconds for them to end


class Deaths:
    """Hears from a supervisor which main processes run, and keeps who has ended."""

    def __init__(self, names: Collection[str] = NAMES) -> None:
        self._names = names
        self._running: dict[str, int] = {}
        self.ended: dict[int, str] = {}  # pid: name

    def __call__(self, pids: Mapping[str, int]) -> None:
        for name, pid in self._running.items():
            if pids.get(name) != pid:
                self.ended[pid] = name
        self._running = {name: pid for name, pid in pids.items() if name in self._names}


class Workers:
    def __init__(
        self, supervisor: Supervisor, environment: Callable[[str], Mapping[str, str]], package: str = "tests.chaos"
    ) -> None:
        """`environment` is asked by a worker's name; `package` has an application and jobs."""
        self._supervisor = supervisor
        self._commands = [_command(pool, environment(pool.name), package) for pool in POOLS]

    def start(self) -> None:
        """Returns when they are ready."""
        self._supervisor.start(*self._commands)
        if late := self._supervisor.wait_until_ready(NAMES, START):
            raise RuntimeError(f"not ready within {START:.0f} s: {', '.join(late)}")

    def stop(self) -> None:
        self._supervisor.stop(NAMES, GRACE)

    def kill_one(self, chance: Random) -> frozenset[int]:
        """kill -9 of a worker's main process. Returns who dies of it."""
        main = self._pick(chance, lambda: self._mains())
        family = frozenset({main, *_children(main)})
        os.kill(main, signal.SIGKILL)
        return family

    def kill_child(self, chance: Random) -> frozenset[int]:
        """kill -9 of a process of a prefork pool."""
        # While a worker starts, Celery takes a child's death for a failed start, and ends.
        child = self._pick(chance, lambda: [child for main in self._mains(ready=True) for child in _children(main)])
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        return frozenset({child})

    def stop_one(self, chance: Random, seconds: float) -> None:
        """SIGSTOP of a main process with its children, and SIGCONT `seconds` later."""
        main = self._pick(chance, lambda: self._mains())
        family = [main, *_children(main)]
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if number == signal.SIGSTOP:
                time.sleep(seconds)

    def _mains(self, *, ready: bool = False) -> list[int]:
        late = set(self._supervisor.wait_until_ready(NAMES, 0)) if ready else set[str]()
        return [pid for name in sorted(NAMES - late) if (pid := self._supervisor.pid(name)) is not None]

    def _pick(self, chance: Random, candidates: Callable[[], list[int]]) -> int:
        """One of them; where there are none just now, when there are."""
        while not (found := candidates()):
            threading.Event().wait(0.05)
        return chance.choice(found)


def _command(pool: Pool, environment: Mapping[str, str], package: str) -> Command:
    arguments = ("-A", f"{package}.application", "worker", "--loglevel=info", f"--include={package}.jobs")
    return Command(
        name=pool.name,
        arguments=(sys.executable, "-m", "celery", *arguments, *pool.worker_arguments()),
        environment=environment,
        ready_text=" ready.",
        quiet=True,
    )


def _children(main: int) -> list[int]:
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(main).children()
        return sorted(child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE)
    return []


def tracebacks(log_dir: Path) -> int:
    """How many tracebacks the workers have logged."""
    texts = (path.read_text(errors="replace") for name in NAMES for path in log_dir.glob(f"{name}.log*"))
    return sum(text.count("Traceback (most recent call last)") for text in texts)
