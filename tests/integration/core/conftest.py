"""Real worker processes for tests."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from apps.core.queues import QUEUES

from . import sample_jobs

CELERY = (sys.executable, "-m", "celery", "-A", "intelliwiz_config")
JOBS = "--include=tests.integration.core.sample_jobs"


class Worker:
    """A `celery worker` process; `lines` is its output so far."""

    def __init__(self, *arguments: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [*CELERY, "worker", JOBS, "--loglevel=info", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self._reader.join(5)
        assert self.process.stdout
        self.process.stdout.close()


def eventually(answer: Callable[[], Any], timeout: float = 30) -> Any:
    """The first true answer; fails the test when there is none in time."""
    until = time.monotonic() + timeout
    while not (found := answer()):
        if time.monotonic() > until:
            pytest.fail("it has not come true in time")
        threading.Event().wait(0.02)
    return found


@pytest.fixture
def server() -> Iterator["redis.Redis[Any]"]:
    """The broker, with nothing of an earlier test in it."""
    client = sample_jobs.server()
    keys = [sample_jobs.SEEN, "test:release", "test:never", *(queue.name for queue in QUEUES)]
    client.delete(*keys)
    yield client
    client.delete(*keys)
    client.close()


@pytest.fixture
def seen(server: "redis.Redis[Any]") -> Callable[..., list[dict[str, Any]]]:
    """Waits until the jobs have reported `count` times, and returns what they said."""

    def wait(count: int) -> list[dict[str, Any]]:
        eventually(lambda: server.llen(sample_jobs.SEEN) >= count)
        return [json.loads(line) for line in server.lrange(sample_jobs.SEEN, 0, -1)]

    return wait


@pytest.fixture
def worker(server: "redis.Redis[Any]") -> Iterator[Callable[..., Worker]]:
    """Starts a worker with these arguments and waits until it is ready."""
    started: list[Worker] = []

    def start(*arguments: str) -> Worker:
        made = Worker(*arguments)
        started.append(made)
        eventually(lambda: any(" ready." in line for line in made.lines) or made.process.poll() is not None)
        assert made.process.poll() is None, "".join(made.lines)
        return made

    yield start
    for one in started:
        one.stop()
