"""A broker with nothing on it."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from celery import current_app

from apps.core.broker.configured import configured_store
from apps.core.broker.store import MessageStore

from ..broker.private_server import free_port
from ..dead_letters import jobs  # noqa: F401 - their tasks are known here, too


@pytest.fixture(autouse=True)
def no_old_connections() -> None:
    """Celery's pools may hold connections to a server that another test has had of its own."""
    app: Any = current_app
    app._pool = None
    app.amqp._producer_pool = None


@pytest.fixture
def store(server: redis.Redis) -> Iterator[MessageStore]:
    app: Any = current_app
    app.outlet._spared_until = 0.0
    found = configured_store()
    yield found
    found.client.close()


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers at the broker's address."""
    monkeypatch.setitem(current_app.conf, "broker_url", f"leased://127.0.0.1:{free_port()}/0")
