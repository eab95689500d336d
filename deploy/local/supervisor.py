"""Keeps processes running: restarts what dies, collects what they say, and ends them in order.

Of the ready-made runners, honcho ends everything when one process ends, circus and supervisord want configuration
files and control sockets of their own and do not end with the terminal; none ties its processes to its own life.
So this is a small one. All of it happens in one thread, because the kernel counts the death of the *thread* that
started a process as the death of its parent (see `lifeline.py`).
"""

import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from .command import Command
from .errors import LocalError
from .output import Log, Terminal
from .process import LiveProcess

TICK = 0.05  # seconds between two looks at the processes
STEADY = 10.0  # seconds after which a process no longer counts as dying at once
LONGEST_PAUSE = 30.0  # seconds between two restarts of a process that keeps dying


class Supervised:
    """One process that is wanted, through all its restarts. Only the supervisor's thread starts and buries it."""

    def __init__(self, command: Command, log: Log) -> None:
        self.command = command
        self.log = log
        self.live: LiveProcess | None = None
        self.wanted = True
        self.ready = False
        self.deaths = 0
        self.kill_at: float | None = None  # when its grace is over; None: it is not being ended
        self._started = 0.0
        self._quick_deaths = 0
        self._next_start = 0.0

    def is_due(self, now: float) -> bool:
        return self.wanted and self.live is None and now >= self._next_start

    def start(self, now: float) -> LiveProcess:
        self._started = now
        self.live = LiveProcess(self.command)
        return self.live

    def died(self, now: float) -> None:
        """Decides when it starts again: at once, but with growing pauses while it keeps dying at once."""
        self.live, self.ready, self.kill_at = None, False, None
        self.deaths += 1
        self._quick_deaths = self._quick_deaths + 1 if now - self._started < STEADY else 0
        pause = 0.0 if self._quick_deaths < 2 else 0.5 * 2 ** min(self._quick_deaths - 2, 10)
        self._next_start = now + min(pause, LONGEST_PAUSE)

    def signal(self, number: signal.Signals) -> None:
        if live := self.live:
            live.signal(number)


class Supervisor:
    """A thread that makes what runs agree with what is wanted."""

    def __init__(
        self, log_dir: Path, terminal: Terminal, on_change: Callable[[dict[str, int]], None] = lambda _: None
    ) -> None:
        """`on_change` gets the process ids by name whenever they change."""
        self._log_dir = log_dir
        self._terminal = terminal
        self._on_change = on_change
        self._selector = selectors.DefaultSelector()
        self._supervised: dict[str, Supervised] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    # What other threads may call.

    def start(self, *commands: Command) -> None:
        """Makes these processes wanted; returns at once."""
        with self._changed:
            for command in commands:
                if command.name in self._supervised:
                    raise ValueError(f"{command.name} is running already")
                log = Log(self._log_dir / f"{command.name}.log")
                self._supervised[command.name] = Supervised(command, log)

    def stop(self, names: Iterable[str], grace: float) -> None:
        """Ends these processes by their stop signals and, `grace` seconds later, by SIGKILL; waits for it."""
        with self._changed:
            ending = [self._supervised[name] for name in names if name in self._supervised]
            for supervised in ending:
                supervised.wanted = False
                supervised.kill_at = time.monotonic() + grace
                supervised.signal(supervised.command.stop_signal)
            self._changed.wait_for(lambda: all(each.live is None for each in ending), grace + 5)
            for supervised in ending:
                self._supervised.pop(supervised.command.name, None)

    def kill(self) -> None:
        """Ends everything now. Called from signal handlers, so it takes no lock."""
        for supervised in list(self._supervised.values()):
            supervised.wanted = False
            supervised.signal(signal.SIGKILL)

    def close(self) -> None:
        """Ends what still runs, and the thread."""
        self.stop(list(self._supervised), grace=0)
        self._closing = True
        self._thread.join(timeout=5)

    def names(self) -> list[str]:
        return list(self._supervised)

    def pid(self, name: str) -> int | None:
        """The main process of `name`; None between a death and the restart."""
        with self._changed:
            return self._pids().get(name)

    def wait_until_ready(self, names: Iterable[str], timeout: float) -> list[str]:
        """Waits for the processes' ready texts; returns the names that have not shown theirs in time."""
        awaited = [self._supervised[name] for name in names]
        with self._changed:
            self._changed.wait_for(lambda: all(each.ready for each in awaited), timeout)
            return [each.command.name for each in awaited if not each.ready]

    def require_first_life(self, name: str) -> None:
        """Raises LocalError when the process has died since it was started."""
        supervised = self._supervised[name]
        if supervised.deaths:
            reason = supervised.log.last_line or "it said nothing"
            raise LocalError(f"{name} does not start: {reason} (more in {supervised.log.path})")

    # What the thread does.

    def _run(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select(timeout=TICK):
                self._collect(key.data)
            with self._changed:
                before = self._pids()
                for supervised in list(self._supervised.values()):
                    self._look_after(supervised, time.monotonic())
                if before != (after := self._pids()):
                    self._on_change(after)
                self._changed.notify_all()
        self._selector.close()

    def _pids(self) -> dict[str, int]:
        return {name: each.live.pid for name, each in self._supervised.items() if each.live}

    def _look_after(self, supervised: Supervised, now: float) -> None:
        if supervised.is_due(now):
            self._start(supervised, now)
        elif supervised.live and supervised.live.has_ended():
            self._bury(supervised, supervised.live, now)
        elif supervised.kill_at and now >= supervised.kill_at:
            supervised.signal(signal.SIGKILL)

    def _start(self, supervised: Supervised, now: float) -> None:
        try:
            live = supervised.start(now)
        except OSError as error:
            self._announce(supervised, f"cannot be started: {error.strerror}")
            supervised.died(now)
        else:
            self._selector.register(live.output, selectors.EVENT_READ, supervised)

    def _bury(self, supervised: Supervised, live: LiveProcess, now: float) -> None:
        while self._collect(supervised):
            pass
        self._report(supervised, live.last_words())
        self._silence(live)
        live.bury()
        supervised.died(now)
        if supervised.wanted:
            self._announce(supervised, "ended; it is started again")

    def _collect(self, supervised: Supervised) -> bool:
        """Passes on what the process has said; False when there was nothing more to read."""
        if not (live := supervised.live):
            return False
        lines = live.read()
        if lines is None:
            self._silence(live)  # it has closed its output, which would wake the selector for ever
            return False
        if (text := supervised.command.ready_text) and any(text in line for line in lines):
            supervised.ready = True
        self._report(supervised, lines)
        return True

    def _silence(self, live: LiveProcess) -> None:
        if live.output in self._selector.get_map():
            self._selector.unregister(live.output)

    def _report(self, supervised: Supervised, lines: list[str]) -> None:
        if not lines:
            return
        supervised.log.write(lines)
        if not supervised.command.quiet and supervised.wanted:  # its last words are for its log
            self._terminal.show(supervised.command.name, lines)

    def _announce(self, supervised: Supervised, line: str) -> None:
        supervised.log.write([line])
        self._terminal.show(supervised.command.name, [line])
