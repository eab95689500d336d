"""A broker with nothing on it, workers, and the way from the quarantine to the database and back to the queue."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.core.management import call_command
from django.db import connection

from apps.core.broker.configured import configured_store
from apps.core.broker.store import MessageStore
from apps.core.outbox import Relay, rows
from intelliwiz_config.celery import app

from ..workers import Worker
from . import jobs  # noqa: F401 - their tasks are known here, too

INCLUDE = "--include=tests.integration.dead_letters.jobs"
QUEUE = "high_priority"


@pytest.fixture
def broker(server: redis.Redis) -> Iterator[redis.Redis]:
    """The broker's server, which no enqueuer spares."""
    app.outlet._spared_until = 0.0
    yield server
    app.outlet._spared_until = 0.0


@pytest.fixture
def store(broker: redis.Redis) -> MessageStore:
    return configured_store()


@pytest.fixture
def move(store: MessageStore) -> Callable[[], None]:
    """Lets a mover work until nothing is left."""
    from apps.core.dead_letters.mover import Mover

    mover = Mover(store)

    def all_of_it() -> None:
        while mover.work():
            pass

    return all_of_it


@pytest.fixture
def publish(broker: redis.Redis) -> Callable[[], int]:
    """Publishes the rows of the outbox at once, as a relay does after a moment. Returns how many there were."""
    relay = Relay(configured_store())

    def all_rows() -> int:
        count = rows.table().filter(published_at=None).count()
        rows.table().update(created_at="2020-01-01T00:00:00Z")
        while relay.publish_pending():
            pass
        return count

    return all_rows


@pytest.fixture
def waiting(broker: redis.Redis) -> Callable[[], list[dict[str, Any]]]:
    """The messages that wait, oldest first."""
    return lambda: [json.loads(text) for text in reversed(broker.lrange(QUEUE, 0, -1))]


@pytest.fixture
def start(worker: Callable[..., Worker], broker: redis.Redis) -> Iterator[Callable[..., Worker]]:
    """Starts a worker that knows the jobs of these tests, on the test's own database."""
    all_of_them = []

    def started(*arguments: str) -> Worker:
        made = worker(INCLUDE, f"--queues={QUEUE}", *arguments, environment={"DATABASE_URL": database_url()})
        all_of_them.append(made)
        return made

    yield started
    for made in all_of_them:
        if made.process.poll() is None:
            made.kill()  # an orderly end takes a second


def database_url() -> str:
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return address.geturl()


def killed_at(step: str, number: int, what: str) -> int:
    """The exit code of a process that does this until it kills itself."""
    script = Path(__file__).with_name("killed_at.py")
    ended = subprocess.run(
        [sys.executable, script, step, str(number), what],
        env={**os.environ, "DATABASE_URL": database_url(), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("jobs", *arguments, stdout=out)
    return out.getvalue().strip()


def facts(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--format=json"))
    return found
