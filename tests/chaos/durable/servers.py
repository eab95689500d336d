"""The servers of a run: a broker that can be emptied and set back in time, and a PostgreSQL that is torn down."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg

from deploy.local import ports
from deploy.local.postgres import Postgres
from deploy.local.stack import wait_for
from deploy.local.supervisor import Supervisor

from ..servers import PATIENCE, Server
from . import ledger

SHUTDOWN = 20.0  # seconds


class Broker(Server):
    def __init__(self, state_dir: Path, supervisor: Supervisor) -> None:
        super().__init__(state_dir, supervisor)
        self._folder = state_dir / "valkey" / "appendonlydir"

    def flush(self) -> None:
        self.client.flushall()

    def go_back(self, meanwhile: Callable[[], None]) -> None:
        """kill -9, and a new start with the data that it had before `meanwhile`."""
        size = self._file.stat().st_size
        meanwhile()
        self.stop()
        os.truncate(self._file, size)
        self.start()

    def known_rows(self) -> int:
        """How many messages it takes for published ones with rows in the outbox."""
        return int(self.client.scard("bgjobs:outbox"))

    def leases_of_the_living(self) -> set[str]:
        """Names of leases whose owners are alive."""
        names = set[str]()
        for key in self.client.scan_iter("bgjobs:leases:*"):
            owner = key.removeprefix("bgjobs:leases:")
            if self.client.exists(f"bgjobs:owner:{owner}"):
                names |= {f"{owner} {lease}" for lease in self.client.hkeys(key)}
        return names

    @property
    def _file(self) -> Path:
        """What it appends to."""
        return max(self._folder.glob("*.incr.aof"), key=lambda path: path.stat().st_mtime)


class Database:
    def __init__(self, state_dir: Path, supervisor: Supervisor) -> None:
        # It waits for the disk, as one in production: what it has committed it must have after any restart.
        self._postgres = Postgres(state_dir, ports.choose(state_dir, ("postgres",))["postgres"])
        self._supervisor = supervisor

    @property
    def url(self) -> str:
        return self._postgres.url

    def start(self) -> None:
        """Returns when it serves."""
        command = replace(self._postgres.prepare(), stop_signal=signal.SIGQUIT)  # immediate shutdown
        self._supervisor.start(command)
        wait_for(command.name, self._postgres.answers, PATIENCE, lambda: None)
        self._postgres.finish()

    def restart(self, down: float) -> None:
        """An immediate shutdown, and a new start `down` seconds later. Returns when it serves again."""
        self._supervisor.stop([self._postgres.name], SHUTDOWN)
        time.sleep(down)
        self.start()

    def rows_left(self) -> int | None:
        """How many rows the outbox has; None: it does not answer now."""
        with suppress(psycopg.OperationalError), psycopg.connect(self.url) as connection:
            return ledger.rows_left(connection)
        return None

    def discard(self) -> None:
        self._postgres.discard()
