"""One run: servers, workers, relays and an enqueuer of its own, blows, and the wait until all is done."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from deploy.local.command import CHECKOUT
from deploy.local.output import Terminal
from deploy.local.state import prepare
from deploy.local.supervisor import Supervisor

from .. import journal
from ..verdict import Struck
from ..workers import NAMES, Deaths, Workers, tracebacks
from . import failpoints, ledger
from .lives import Lives
from .relays import Relays
from .scenario import RELAYS, Blow, Scenario
from .servers import Broker, Database
from .verdict import Verdict

NO_JOB_TAKES = 3.0  # seconds


def run(scenario: Scenario, state_dir: Path, seed: int) -> Verdict:
    """Everything that is written goes to `state_dir`, which is emptied first; the logs in it stay."""
    shutil.rmtree(state_dir, ignore_errors=True)
    state_dir = prepare(state_dir.resolve())
    deaths = Deaths(NAMES | {*RELAYS})
    supervisor = Supervisor(state_dir / "log", Terminal(None), deaths)
    database = Database(state_dir, supervisor)
    try:
        return Run(scenario, state_dir, seed, supervisor, database, deaths).verdict()
    finally:
        supervisor.close()
        database.discard()


class Run:
    def __init__(
        self,
        scenario: Scenario,
        state_dir: Path,
        seed: int,
        supervisor: Supervisor,
        database: Database,
        deaths: Deaths,
    ) -> None:
        self._scenario = scenario
        self._seed = seed
        self._chance = Random(seed)
        self._state_dir = state_dir
        self._supervisor = supervisor
        self._journal = state_dir / "journal"
        self._deaths = deaths
        self._struck: list[Struck] = []
        self._replaced: set[int] = set()  # workers that were ended in order
        self._database = database
        self._broker = Broker(state_dir, supervisor)

    def verdict(self) -> Verdict:
        with self._broker.client:
            self._start_servers()
            self._workers = Workers(self._supervisor, self._environment, __package__)
            self._relays = Relays(self._supervisor, self._environment)
            self._relays.start()
            self._workers.start()
            return self._verdict()

    def _verdict(self) -> Verdict:
        began = time.time()
        log = self._state_dir / "log" / "enqueuer.log"
        enqueuer = Lives(self._scenario, self._seed, began, self._environment("enqueuer"), log)
        enqueuer.start()
        try:
            self._strike_all(began)
            forgotten = self._wait_until_done(enqueuer)
        finally:
            enqueuer.end()
        seconds = time.time() - began
        lines = journal.read(self._journal)
        killed = self._replaced | {pid for struck in self._struck for pid in struck.dead}
        killed |= {line.pid for line in lines if line.deed.startswith(failpoints.DEED)}
        exits = [name for pid, name in tuple(self._deaths.ended.items()) if pid not in killed]
        if enqueuer.unexpected is not None:
            exits.append(f"enqueuer ({enqueuer.unexpected})")
        left = self._broker.messages()
        self._workers.stop()  # whoever could still do a job a second time has done so by now
        self._relays.stop()
        return Verdict(
            scenario=self._scenario,
            seed=self._seed,
            lines=lines,
            books=ledger.Books.read(self._database.url),
            struck=self._struck,
            worker_exits=sum(name in NAMES for name in exits),
            unexpected_exits=[name for name in exits if name not in NAMES],
            known_rows=self._broker.known_rows(),
            left=left,
            forgotten=forgotten,
            seconds=seconds,
            tracebacks=tracebacks(self._state_dir / "log"),
        )

    def _start_servers(self) -> None:
        with ThreadPoolExecutor() as threads:
            for started in [threads.submit(self._broker.start), threads.submit(self._database.start)]:
                started.result()
        migrate = (sys.executable, "manage.py", "migrate", "--verbosity=0")
        subprocess.run(migrate, env=self._environment("migrate"), cwd=CHECKOUT, check=True)
        ledger.make(self._database.url)

    def _environment(self, process: str) -> Mapping[str, str]:
        return dict(os.environ) | {
            "DJANGO_SETTINGS_MODULE": "intelliwiz_config.settings.test",
            "STATE_DIR": str(self._state_dir),
            "TMPDIR": str(self._state_dir / "tmp"),
            "DATABASE_URL": self._database.url,
            "BROKER_URL": self._broker.url("leased"),
            "RESULT_URL": self._broker.url("redis", 1),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore:You're running the worker",
            journal.PLACE: str(self._journal),
            failpoints.PLACE: self._scenario.failpoint(self._seed, process),
        }

    def _strike_all(self, began: float) -> None:
        earliest = began
        for moment, blow in self._scenario.blows(self._seed):
            time.sleep(max(began + moment - time.time(), earliest - time.time(), 0.0))
            self._strike(blow)
            earliest = time.time() + self._scenario.gap

    def _strike(self, blow: Blow) -> None:
        at, dead = time.time(), frozenset[int]()
        match blow:
            case Blow.KILL_WORKER:
                dead = self._workers.kill_one(self._chance)
            case Blow.KILL_CHILD:
                dead = self._workers.kill_child(self._chance)
            case Blow.KILL_RELAY:
                dead = self._relays.kill_one(self._chance)
            case Blow.KILL_BROKER:
                self._broker.kill(self._scenario.broker_down)
            case Blow.FLUSH:
                self._broker.flush()
            case Blow.GO_BACK:
                dead = self._go_back()
            case Blow.RESTART_DATABASE:
                self._database.restart(self._scenario.database_down)
        struck = Struck(blow=blow, at=at, until=time.time(), dead=dead)
        self._struck.append(struck)
        with (self._state_dir / "log" / "blows.log").open("a") as log:
            log.write(f"{struck.at:.3f} {struck.until:.3f} {blow.name} {sorted(dead)}\n")

    def _go_back(self) -> frozenset[int]:
        """The kill of a child is forgotten, and with it that its job was given back. Returns whom it has hit."""
        dead = frozenset[int]()

        def meanwhile() -> None:
            nonlocal dead
            time.sleep(self._scenario.cut_off / 2)
            dead = self._workers.kill_child(self._chance)
            time.sleep(self._scenario.cut_off / 2)

        self._broker.go_back(meanwhile)
        return dead

    def _wait_until_done(self, enqueuer: Lives) -> int:
        """Until all is enqueued, and neither the outbox nor the broker has anything of it.

        Returns how many leases were left that their owners, who live, knew nothing of: the workers are then started
        anew, as for a deployment, and what such a lease has kept is done or answered.
        """
        until = time.monotonic() + self._scenario.patience
        forgotten, kept, since = 0, set[str](), time.monotonic()
        while time.monotonic() < until:
            time.sleep(0.2)
            if enqueuer.is_alive() or self._database.rows_left() != 0 or self._broker.known_rows():
                continue
            if not (left := self._broker.messages()):
                break
            if kept != (kept := self._broker.leases_of_the_living()) or len(kept) != sum(left.values()):
                since = time.monotonic()
            elif time.monotonic() - since > NO_JOB_TAKES and not forgotten:
                forgotten = len(kept)
                self._replaced = {pid for name in NAMES if (pid := self._supervisor.pid(name)) is not None}
                self._workers.stop()
                self._workers.start()
        return forgotten
