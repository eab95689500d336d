"""The enqueuer's lives: where one ends at a failpoint, the next one begins."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from deploy.local.command import Command

from . import failpoints
from .scenario import Scenario


class Lives(threading.Thread):
    """Runs the enqueuer until all is enqueued. Its first lives end at failpoints; the last one may go on."""

    def __init__(
        self, scenario: Scenario, seed: int, began: float, environment: Mapping[str, str], log: Path
    ) -> None:
        super().__init__(name="enqueuer's lives", daemon=True)
        self._failpoints = scenario.failpoints_of_enqueuer(seed)
        arguments = (json.dumps(asdict(scenario)), str(seed), str(began))
        self._arguments = (sys.executable, "-m", "tests.chaos.durable.enqueuer", *arguments)
        self._environment = environment
        self._log = log
        self._life: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self.unexpected: int | None = None  # exit status of a life that ended in no foreseen way

    def run(self) -> None:
        for failpoint in (*self._failpoints, ""):
            status = self._live(failpoint)
            if status != -signal.SIGKILL or self._over.is_set():
                self.unexpected = status if status > 0 else None
                return

    def end(self) -> None:
        self._over.set()
        if self._life is not None:
            self._life.kill()
        self.join()

    def _live(self, failpoint: str) -> int:
        """Of one life; returns its exit status."""
        environment = {**self._environment, failpoints.PLACE: failpoint}
        command = Command(name="enqueuer", arguments=self._arguments)
        with self._log.open("ab") as log:
            self._life = subprocess.Popen(
                command.tethered(), env=environment, cwd=command.folder, stdout=log, stderr=log
            )
        return self._life.wait()
