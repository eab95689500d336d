"""The servers and processes of one state dir, started and ended together."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from intelliwiz_config.local_services import LocalServices

from . import commands, ports, roles
from .command import Command
from .errors import LocalError
from .output import Terminal
from .postgres import Postgres
from .record import Record
from .state import prepare
from .supervisor import Supervisor
from .valkey import Valkey

SERVERS = ("valkey", "postgres")
GRACE = 5.0  # seconds for web, beat and workers to end by themselves
# Then what they depend on, in this order: seconds for each. All in all it stays under ten.
GRACE_AFTERWARDS = {"mail": 0.5, "postgres": 2.0, "valkey": 1.5}


class Server(Protocol):
    """What the stack asks of a server."""

    name: str
    patience: float

    def prepare(self) -> Command: ...
    def answers(self) -> bool: ...
    def finish(self) -> None: ...


class Stack:
    """A context manager that ends whatever it has started.

    with Stack(state_dir) as stack:
        stack.start_servers()
        stack.start_mail()
        stack.start(commands.worker(pool, stack.environment))
        stack.wait_until_ready(["critical"], timeout=20)

    Processes that die are restarted, and their output is kept under `<state>/log`.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        terminal: Terminal | None = None,
        durable: bool = True,
        on_change: Callable[[dict[str, int]], None] = lambda _: None,
    ) -> None:
        """`terminal` shows the processes' output; `durable=False` trades safety for speed, for tests.

        Raises LocalError when the state dir cannot be used.
        """
        self.state_dir = prepare(state_dir.resolve())
        self.terminal = terminal or Terminal(None)
        self.services = LocalServices()
        self.mail_dir = self.state_dir / "mail" / "new"
        self.supervisor = Supervisor(self.state_dir / "log", self.terminal, self._note)
        self._on_change = on_change
        self._durable = durable
        self._postgres: Postgres | None = None
        self._record: Record | None = None
        self._given_up = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment for a process of this project, the addresses of the servers included."""
        return dict(os.environ) | {
            "DJANGO_SETTINGS_MODULE": os.environ.get(
                "DJANGO_SETTINGS_MODULE", "intelliwiz_config.settings.development"
            ),
            "STATE_DIR": str(self.state_dir),
            "DATABASE_URL": self.services.database_url,
            "BROKER_URL": self.services.broker_url,
            "RESULT_URL": self.services.result_url,
            "SMTP_URL": self.services.smtp_url,
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.state_dir / "tmp"),  # worker pools leave files in it, which `close` removes
            "REMAP_SIGTERM": "SIGQUIT",  # a worker then ends softly: what it cannot finish goes back
            # Celery warns of workers that run as root; on one's own machine that is a choice.
            "PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS", "ignore:You're running the worker"),
        }

    def start_servers(self, names: Iterable[str] = SERVERS) -> LocalServices:
        """Starts Valkey and PostgreSQL, both at once, and returns when they serve.

        Raises Taken when another process has the servers of this state dir, LocalError when one does not start.
        """
        self._record = roles.take(self.state_dir, roles.SERVICES, self.terminal)
        chosen = ports.choose(self.state_dir, (*SERVERS, "mail"))
        valkey = Valkey(self.state_dir, chosen["valkey"], durable=self._durable)
        self._postgres = Postgres(self.state_dir, chosen["postgres"], durable=self._durable)
        wanted: list[Server] = [server for server in (valkey, self._postgres) if server.name in set(names)]
        with ThreadPoolExecutor(max_workers=2) as threads:
            try:
                list(threads.map(self._bring_up, wanted))
            except BaseException:
                self._given_up.set()  # or the pool would wait for the other one
                raise
        self.services = LocalServices(
            database_url=self._postgres.url,
            broker_url=valkey.url(0, scheme="leased"),
            result_url=valkey.url(1),
            smtp_url=f"smtp://{ports.HOST}:{chosen['mail']}",
        )
        return self.services

    @property
    def note(self) -> str:
        """What the user should know about where data is; mostly empty."""
        return self._postgres.note if self._postgres else ""

    def start_mail(self) -> None:
        """Starts the mail catcher at the address that `services` names; mails appear in `mail_dir`."""
        port = self.services.smtp_url.rpartition(":")[2]
        self.start(commands.mail(int(port), self.state_dir / "mail"))

    def start(self, *commands: Command) -> None:
        """Starts processes; returns at once."""
        self.supervisor.start(*commands)

    def wait_until_ready(self, names: Iterable[str], timeout: float) -> list[str]:
        """Waits for processes that say when they are ready; returns the names of those that have not."""
        return self.supervisor.wait_until_ready(names, timeout)

    def pid(self, name: str) -> int | None:
        """The main process of `name`."""
        return self.supervisor.pid(name)

    def stop(self, *names: str, grace: float = GRACE) -> None:
        """Ends processes: their stop signal, and SIGKILL `grace` seconds later."""
        self.supervisor.stop(names, grace)

    def kill(self) -> None:
        """Ends everything now; may be called from a signal handler."""
        self.supervisor.kill()

    def close(self) -> None:
        """Ends everything, what depends on something else first."""
        self.supervisor.stop([name for name in self.supervisor.names() if name not in GRACE_AFTERWARDS], GRACE)
        for name, grace in GRACE_AFTERWARDS.items():
            self.supervisor.stop([name], grace)
        self.supervisor.close()
        shutil.rmtree(self.state_dir / "tmp", ignore_errors=True)
        if self._record:
            self._record.release()
            self._record = None

    def discard(self) -> None:
        """Removes what is kept outside of the state dir. The state dir itself is its maker's."""
        if self._postgres:
            self._postgres.discard()

    def _bring_up(self, server: Server) -> None:
        def check() -> None:
            self.supervisor.require_first_life(server.name)
            if self._given_up.is_set():
                raise LocalError(f"{server.name} was not waited for.")

        self.start(server.prepare())
        wait_for(server.name, server.answers, server.patience, check)
        server.finish()

    def _note(self, pids: dict[str, int]) -> None:
        if record := self._record:
            record.note(pids.values())
        self._on_change(pids)


def wait_for(name: str, answers: Callable[[], bool], timeout: float, check: Callable[[], None]) -> None:
    """Waits until `answers` is true; `check` may raise meanwhile. Raises LocalError after `timeout` seconds."""
    until = time.monotonic() + timeout
    while not answers():
        check()
        if time.monotonic() > until:
            raise LocalError(f"{name} has not answered within {timeout:.0f} s: its log says more.")
        time.sleep(0.03)
