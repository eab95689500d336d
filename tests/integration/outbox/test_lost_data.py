"""The broker's data goes back in time: what it lost of the durable jobs is published again, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from apps.core.broker.store import MessageStore
from apps.core.models import OutboxMessage
from apps.core.outbox import Relay
from apps.core.redis_client import connect
from intelliwiz_config.celery import app

from ..broker.private_server import HOST, PrivateServer
from ..workers import eventually
from .jobs import pay
from .test_enqueueing import age_rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def servers() -> Iterator[list[PrivateServer]]:
    started: list[PrivateServer] = []
    real = app.outlet.store
    yield started
    app.outlet.store = real
    for server in started:
        if server.process.poll() is None:
            server.close()


def use(server: PrivateServer) -> MessageStore:
    """Let this process enqueue to a server."""
    client = connect(server.url)
    client.connection_pool.connection_kwargs["decode_responses"] = False
    app.outlet.store = MessageStore(client)
    return app.outlet.store


def waiting(server: PrivateServer) -> list[str]:
    import json

    return [json.loads(text)["headers"]["id"] for text in reversed(server.client.lrange("high_priority", 0, -1))]


def enqueue(count: int, start: int) -> list[str]:
    return [pay.delay(number, 1).id for number in range(start, start + count)]


def relay_until_quiet(store: MessageStore) -> None:
    age_rows()
    relay: Any = Relay(store)
    while relay.work():
        pass


def test_after_a_fail_over_to_a_replica_that_lagged_behind(servers) -> None:
    master = PrivateServer("repl-diskless-sync-delay 0")
    replica = PrivateServer(f"replicaof {HOST} {master.port}", "repl-diskless-sync-delay 0")
    servers += [master, replica]
    eventually(lambda: replica.client.info("replication")["master_link_status"] == "up")
    store = use(master)
    known = enqueue(5, 0)
    relay_until_quiet(store)
    master.client.wait(1, 5000)
    replica.client.execute_command("REPLICAOF", "NO", "ONE")  # from here on it hears nothing
    lost = enqueue(5, 5)
    relay_until_quiet(store)
    master.kill()
    relay_until_quiet(use(replica))
    assert waiting(replica) == [*known, *lost]


def test_after_a_restart_with_a_truncated_file(servers) -> None:
    """The rows were marked as published long ago: it is what the server knows that counts."""
    settings = ("appendonly yes", "appendfsync always", "aof-load-truncated yes")
    server = PrivateServer(*settings)
    servers.append(server)
    store = use(server)
    known = enqueue(5, 0)
    (log,) = server.folder.glob("appendonlydir/*.incr.aof")
    so_far = log.stat().st_size
    lost = enqueue(5, 5)
    relay_until_quiet(store)
    assert OutboxMessage.objects.filter(published_at=None).count() == 0
    server.kill()
    with log.open("r+b") as file:
        file.truncate(so_far + 100)  # in the middle of the next command
    restart(server)
    relay_until_quiet(store)
    assert waiting(server) == [*known, *lost]


def test_after_all_data_was_deleted(servers) -> None:
    server = PrivateServer()
    servers.append(server)
    store = use(server)
    jobs = enqueue(3000, 0)
    relay_until_quiet(store)
    server.client.flushall()
    relay_until_quiet(store)
    assert sorted(waiting(server)) == sorted(jobs)
    relay_until_quiet(store)
    assert len(waiting(server)) == len(jobs)


def restart(server: PrivateServer) -> None:
    import subprocess

    from deploy.local.valkey import binary

    server.process = subprocess.Popen([str(binary()), "conf"], cwd=server.folder, stdout=subprocess.DEVNULL)
    eventually(server.answers)
