"""Real worker processes for tests, and the tasks' way to report to them."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from apps.core.redis_client import connect

CELERY = (sys.executable, "-m", "celery", "-A", "intelliwiz_config")
SEEN = "test:seen"
ROWS = int(os.environ.get("SWEEP_ROWS", "1000"))  # of a long sweep; `make chaos` has 20,000
STEPS = ("", "\x06\x163", "\x06\x166", "\x06\x169")  # of a queue's lists, one for each priority
LEFT_BEHIND = tuple(
    f"bgjobs:{name}"
    for name in (
        *("outbox", "unique:", "published:", "purged:"),
        *("delayed:", "quarantine", "troubles", "revoked", "paused", "fuses", "fused:"),
        *("counts:", "runs"),
    )
)
# One step for the server, or a message on its way from one place to the next is in neither.
UNFINISHED = """
local count = 0
for _, key in ipairs(KEYS) do count = count + redis.call('LLEN', key) end
for _, key in ipairs(redis.call('KEYS', 'bgjobs:delayed:*')) do count = count + redis.call('ZCARD', key) end
for _, key in ipairs(redis.call('KEYS', 'bgjobs:leases:*')) do count = count + redis.call('HLEN', key) end
return count
"""


def server() -> redis.Redis:
    return connect(os.environ["BROKER_URL"])


def see(line: dict[str, Any]) -> None:
    """Called by a job: report a line to the test."""
    server().rpush(SEEN, json.dumps(line))


def unfinished(client: redis.Redis, *queues: str) -> int:
    """How many messages wait in these queues, are delayed, or are held by anybody."""
    keys = [queue + step for queue in queues for step in STEPS]
    count: int = client.eval(UNFINISHED, len(keys), *keys)
    return count


def clean(client: redis.Redis, *queues: str) -> None:
    """Removes what an earlier test has left behind, the living workers' own keys excepted."""
    keys = [SEEN, "test:release", "test:never", "unacked", "unacked_index"]
    keys += [queue + step for queue in queues for step in STEPS]
    keys += [key for key in client.scan_iter("bgjobs:*") if key.startswith(LEFT_BEHIND) or _is_of_the_dead(key)]
    client.delete(*keys)


def _is_of_the_dead(key: str) -> bool:
    """Leases of a worker that is gone: whoever beats next would rescue them, and bring old jobs into another test."""
    owner = re.fullmatch(r"bgjobs:leases:[^:]+:([0-9]+):[0-9a-f]+", key)
    return owner is not None and not Path(f"/proc/{owner[1]}").exists()


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
