"""A broker to enqueue to, a relay, and workers on the test's own database."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from apps.core.redis_client import connect
from intelliwiz_config.celery import app

from ..workers import Worker

MODULE = "--include=tests.integration.outbox.jobs"
QUEUE = "high_priority"


@pytest.fixture
def waiting(server: redis.Redis) -> Iterator[Callable[[], list[str]]]:
    """The ids of the jobs that wait, oldest first."""
    app.outlet._spared_until = 0.0

    def ids() -> list[str]:
        return [json.loads(text)["headers"]["id"] for text in reversed(server.lrange(QUEUE, 0, -1))]

    yield ids
    app.outlet._spared_until = 0.0


@pytest.fixture
def on_this_database() -> dict[str, str]:
    """The environment of a process that works on the test's own database."""
    from django.db import connection

    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return {"DATABASE_URL": address.geturl()}


@pytest.fixture
def start(worker: Callable[..., Worker], on_this_database: dict[str, str]) -> Callable[..., Worker]:
    """Starts a worker that knows the jobs of these tests."""

    def started(*arguments: str, environment: dict[str, str] | None = None) -> Worker:
        return worker(
            MODULE, f"--queues={QUEUE}", *arguments, environment={**on_this_database, **(environment or {})}
        )

    return started


@pytest.fixture
def relay(waiting: Any) -> Any:
    """A relay's work on the test's own database, in this process."""
    from apps.core.outbox import Relay

    return Relay(app.outlet.store)


@pytest.fixture
def relaying(relay: Any) -> Iterator[None]:
    """A relay that works beside the test."""
    from apps.core.outbox import keep_doing
    from apps.core.outbox.rows import database

    stopped = threading.Event()

    def work() -> None:
        keep_doing([relay.work], stopped)
        database().close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stopped.set()
    thread.join()


@pytest.fixture
def accounts(db: None) -> Callable[[], dict[str, int]]:
    """Two accounts without money; tells their balances."""
    from django.contrib.auth import get_user_model

    users = get_user_model()._default_manager
    for name in ("bank", "shop"):
        users.create(username=name, last_name="0")
    return lambda: {user.username: int(user.last_name) for user in users.all()}


@pytest.fixture
def silent_broker() -> Iterator[Callable[..., Any]]:
    """Points this process's enqueuers to a server that is down (port 1) or takes connections and says nothing."""
    import socket

    from apps.core.broker.store import MessageStore

    real = app.outlet.store
    listening: list[socket.socket] = []

    def point(*, refuses: bool) -> None:
        port = 1
        if not refuses:
            listener = socket.create_server(("127.0.0.1", 0), backlog=600)
            listening.append(listener)
            port = listener.getsockname()[1]
        client = connect(f"redis://127.0.0.1:{port}/0", connect_timeout=0.2, reply_timeout=0.2, retries=0)
        app.outlet.store = MessageStore(client)

    yield point
    app.outlet.store = real
    app.outlet._spared_until = 0.0
    for one in listening:
        one.close()
