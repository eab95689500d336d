"""Fixtures for tests with real worker processes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from apps.core.idempotency.store import RECORD_PREFIX
from apps.core.owners import end_heartbeat
from apps.core.queues import QUEUES

from . import workers
from .workers import SEEN, Worker, eventually


@pytest.fixture(scope="session", autouse=True)
def no_heartbeat_at_the_end() -> Iterator[None]:
    """The test run's servers end before its process does."""
    yield
    end_heartbeat()


@pytest.fixture
def forget_keys() -> Callable[[], None]:
    """Forgets every idempotency key, as if the time for which they are kept had passed."""

    def forget() -> None:
        with workers.server() as client:
            for key in client.scan_iter(f"{RECORD_PREFIX}*"):
                client.delete(key)

    return forget


@pytest.fixture(autouse=True)
def no_keys(forget_keys: Callable[[], None]) -> None:
    """Ids begin anew with each test's database, so keys of an earlier test would answer this one's jobs."""
    forget_keys()


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    """The broker, with nothing of an earlier test in it."""
    client = workers.server()
    names = [queue.name for queue in QUEUES]
    workers.clean(client, *names)
    yield client
    workers.clean(client, *names)
    client.close()


@pytest.fixture
def seen(server: redis.Redis) -> Callable[..., list[dict[str, Any]]]:
    """Waits until the jobs have reported `count` times, and returns what they said."""

    def wait(count: int, timeout: float = 30) -> list[dict[str, Any]]:
        eventually(lambda: server.llen(SEEN) >= count, timeout)
        return [json.loads(line) for line in server.lrange(SEEN, 0, -1)]

    return wait


@pytest.fixture
def worker(server: redis.Redis) -> Iterator[Callable[..., Worker]]:
    """Starts a worker with these arguments and waits until it is ready."""
    started: list[Worker] = []

    def start(*arguments: str, environment: dict[str, str] | None = None) -> Worker:
        made = Worker(*arguments, environment=environment)
        started.append(made)
        eventually(lambda: any(" ready." in line for line in made.lines) or made.process.poll() is not None)
        assert made.process.poll() is None, "".join(made.lines)
        return made

    yield start
    for one in started:
        one.stop()
