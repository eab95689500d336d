"""Real worker processes for tests, and the tasks' way to report to them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from apps.core.redis_client import connect

CELERY = (sys.executable, "-m", "celery", "-A", "intelliwiz_config")
SEEN = "test:seen"


def server() -> redis.Redis:
    return connect(os.environ["BROKER_URL"])


def see(line: dict[str, Any]) -> None:
    """Called by a job: report a line to the test."""
    server().rpush(SEEN, json.dumps(line))


class Worker:
    """A `celery worker` process; `lines` is its output so far."""

    def __init__(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [*CELERY, "worker", "--loglevel=info", "--without-mingle", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self.lines) if line.startswith("{")]

    def stop(self, patience: float = 10) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.kill()
        self._reader.join(5)
        assert self.process.stdout
        self.process.stdout.close()

    def kill(self) -> None:
        """SIGKILL the main process and all of its children at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def eventually(answer: Callable[[], Any], timeout: float = 30) -> Any:
    """The first true answer; fails the test when there is none in time."""
    until = time.monotonic() + timeout
    while not (found := answer()):
        if time.monotonic() > until:
            pytest.fail("it has not come true in time")
        threading.Event().wait(0.02)
    return found
