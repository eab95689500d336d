"""Stores with an owner of their own, on a real server, and a clock for owners' deaths."""

import os
import threading
import uuid
from collections.abc import Iterator

import pytest
import redis

from apps.core.conf import engine_settings
from apps.core.idempotency import IdempotencyStore
from apps.core.redis_client import connect


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    made = connect(os.environ["BROKER_URL"])
    yield made
    made.close()


@pytest.fixture
def store(client: redis.Redis) -> IdempotencyStore:
    return IdempotencyStore(client)


@pytest.fixture(scope="session")
def settled_server() -> None:
    """A server that has been up for long enough to judge who is dead; until then it takes nobody for dead."""
    client = connect(os.environ["BROKER_URL"])
    grace = 2 * engine_settings().dead_after
    while client.info("server")["uptime_in_seconds"] < grace:
        threading.Event().wait(0.2)
    client.close()


@pytest.fixture
def key() -> str:
    return f"test:{uuid.uuid4().hex}"
