"""Breakers of services that no other test knows, on a real server."""

import os
import uuid
from collections.abc import Iterator

import pytest
import redis

from apps.core.circuit_breaker import BreakerStore
from apps.core.circuit_breaker.store import KNOWN_KEY
from apps.core.redis_client import connect

from .records import keys_of


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    made = connect(os.environ["BROKER_URL"])
    yield made
    made.close()


@pytest.fixture
def store(client: redis.Redis) -> BreakerStore:
    return BreakerStore(client)


@pytest.fixture
def service(client: redis.Redis) -> Iterator[str]:
    name = f"service-{uuid.uuid4().hex}"
    yield name
    client.delete(*keys_of(name))
    client.zrem(KNOWN_KEY, name)
