"""One run: servers and workers of its own, jobs, blows, and the wait until all is done."""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Literal

from deploy.local.command import Command
from deploy.local.output import Terminal
from deploy.local.state import prepare
from deploy.local.supervisor import Supervisor
from intelliwiz_config.local_services import LocalServices

from . import journal
from .scenario import Blow, Scenario
from .servers import Server
from .verdict import Struck, Verdict
from .workers import Deaths, Workers, tracebacks

Scheme = Literal["leased", "redis"]  # of BROKER_URL: ours, or Celery's own transport
LEAD = 3.0  # seconds that the enqueuer takes to start


def run(scenario: Scenario, scheme: Scheme, state_dir: Path, seed: int) -> Verdict:
    """Everything that is written goes to `state_dir`, which is emptied first; the logs in it stay."""
    shutil.rmtree(state_dir, ignore_errors=True)
    deaths = Deaths()
    supervisor = Supervisor(prepare(state_dir.resolve()) / "log", Terminal(None), deaths)
    try:
        return Run(scenario, scheme, state_dir.resolve(), seed, supervisor, deaths).verdict()
    finally:
        supervisor.close()


class Run:
    def __init__(
        self, scenario: Scenario, scheme: Scheme, state_dir: Path, seed: int, supervisor: Supervisor, deaths: Deaths
    ) -> None:
        self._scenario = scenario
        self._seed = seed
        self._chance = Random(seed)
        self._state_dir = state_dir
        self._journal = state_dir / "journal"
        self._deaths = deaths
        self._struck: list[Struck] = []
        self._server = Server(state_dir, supervisor)
        self._environment = dict(os.environ) | {
            "DJANGO_SETTINGS_MODULE": "intelliwiz_config.settings.test",
            "STATE_DIR": str(state_dir),
            "TMPDIR": str(state_dir / "tmp"),
            "DATABASE_URL": LocalServices().database_url,  # where nobody listens: no job asks
            "BROKER_URL": self._server.url(scheme),
            "RESULT_URL": self._server.url("redis", 1),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore:You're running the worker",
            journal.PLACE: str(self._journal),
        }
        self._workers = Workers(supervisor, lambda _: self._environment)

    def verdict(self) -> Verdict:
        with self._server.client:
            return self._verdict()

    def _verdict(self) -> Verdict:
        self._server.start()
        self._workers.start()
        began = time.time() + LEAD
        enqueuer = self._start_enqueuer(began)
        try:
            self._strike_all(began)
            left = self._wait_until_done(enqueuer)
        finally:
            enqueuer.kill()
            enqueuer.wait()
        seconds = time.time() - began
        killed = {pid for struck in self._struck for pid in struck.dead}
        exits = [name for pid, name in tuple(self._deaths.ended.items()) if pid not in killed]
        self._workers.stop()  # whoever could still run a job a second time has done so by now
        return Verdict(
            lines=journal.read(self._journal),
            struck=self._struck,
            unexpected_exits=exits,
            left=left,
            seconds=seconds,
            tracebacks=tracebacks(self._state_dir / "log"),
        )

    def _start_enqueuer(self, began: float) -> "subprocess.Popen[bytes]":
        arguments = (json.dumps(asdict(self._scenario)), str(self._seed), str(began))
        command = Command(name="enqueuer", arguments=(sys.executable, "-m", "tests.chaos.enqueuer", *arguments))
        with (self._state_dir / "log" / "enqueuer.log").open("wb") as log:
            return subprocess.Popen(
                command.tethered(), env=self._environment, cwd=command.folder, stdout=log, stderr=log
            )

    def _strike_all(self, began: float) -> None:
        earliest = began
        for moment, blow in self._scenario.blows(self._seed):
            time.sleep(max(began + moment - time.time(), earliest - time.time(), 0.0))
            self._strike(blow)
            earliest = time.time() + self._scenario.gap

    def _strike(self, blow: Blow) -> None:
        scenario, dead, at = self._scenario, frozenset[int](), time.time()
        match blow:
            case Blow.KILL_WORKER:
                dead = self._workers.kill_one(self._chance)
                at = time.time()
            case Blow.KILL_CHILD:
                dead = self._workers.kill_child(self._chance)
                at = time.time()
            case Blow.KILL_SERVER:
                self._server.kill(scenario.server_down)
            case Blow.DROP_CONNECTIONS:
                self._server.drop_connections()
            case Blow.FILL_MEMORY:
                self._server.fill_memory(scenario.memory_full)
            case Blow.STOP_WORKER:
                self._workers.stop_one(self._chance, scenario.stopped)
        struck = Struck(blow=blow, at=at, until=time.time(), dead=dead)
        self._struck.append(struck)
        with (self._state_dir / "log" / "blows.log").open("a") as log:
            log.write(f"{struck.at:.3f} {struck.until:.3f} {blow.name} {sorted(dead)}\n")

    def _wait_until_done(self, enqueuer: "subprocess.Popen[bytes]") -> dict[str, int]:
        """Until every job has ended and the server holds no message. Returns where some are still, if any."""
        until = time.monotonic() + self._scenario.patience
        while time.monotonic() < until:
            left = self._server.messages()
            if enqueuer.poll() is not None and not left and not self._unfinished():
                return {}
            time.sleep(0.2)
        return left

    def _unfinished(self) -> set[int]:
        lines = journal.read(self._journal)
        published = {line.number for line in lines if line.deed == "published"}
        return published - {line.number for line in lines if line.deed == "end"}
