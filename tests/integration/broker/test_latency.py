"""How many commands the broker costs, and how soon an acknowledgement is known. Times of jobs are the benchmark's."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
import redis

from apps.core.broker import MessageStore
from apps.core.broker import custody as custody_module
from apps.core.broker.custody import Custody
from apps.core.owners import owner_id
from intelliwiz_config.celery import app

from ..workers import SEEN, Worker, eventually
from .conftest import Show
from .jobs import mark
from .private_server import HOST, Monitor, PrivateServer

pytestmark = pytest.mark.slow
QUEUE = "high_priority"
IDLE_SECONDS = 20  # watched
COMMANDS_PER_IDLE_SECOND = 2
COMMANDS_PER_PUSH = 10
LATEST_ACKNOWLEDGEMENT = 0.020  # seconds
CROWD = 50
PUSHES = 3
JOBS = 100


@pytest.fixture
def private() -> Iterator[PrivateServer]:
    made = PrivateServer()
    yield made
    made.close()


@pytest.fixture
def monitor(private: PrivateServer) -> Iterator[Monitor]:
    made = Monitor(private.client)
    yield made
    made.close()


@pytest.fixture
def store(private: PrivateServer) -> MessageStore:
    made = MessageStore(redis.Redis(HOST, private.port))
    for script in map(made.script, ("publish", "claim", "pulse")):  # loaded before anything is counted
        made.connections.call("SCRIPT", "LOAD", script._text)
    return made


def names(commands: list[str]) -> list[str]:
    return [command.split(" ", 1)[0].upper() for command in commands]


def test_an_idle_worker_sends_two_commands_per_second_at_most(
    worker: Callable[..., Worker], private: PrivateServer, monitor: Monitor, show: Show
) -> None:
    """A whole worker: signs of life, remote control, gossip and events are in the count."""
    worker("--queues=critical,high_priority,email", "-E", environment={"BROKER_URL": private.url})
    eventually(lambda: private.client.exists("bgjobs:idle:email") and private.client.pubsub_numpat())
    threading.Event().wait(2)  # the first beats load their scripts
    monitor.until_mark("idle")
    threading.Event().wait(IDLE_SECONDS)
    sent = names(monitor.until_mark("watched"))
    rate = len(sent) / IDLE_SECONDS
    show(f"{rate:.2f} commands per second: { ({name: sent.count(name) for name in sorted(set(sent))}) }")
    assert rate > 0.5, "the heartbeat is not in the count"
    assert rate <= COMMANDS_PER_IDLE_SECOND


def test_a_claim_of_many_messages_is_one_command(store: MessageStore, monitor: Monitor) -> None:
    for _ in range(64):
        store.publish(QUEUE, QUEUE, '{"properties": {}}')
    store.pulse(["owner"], queues=[], all_queues=[])
    monitor.until_mark("published")
    claimed = store.claim("owner", call=1, most=64, queues=[QUEUE])
    assert names(monitor.until_mark("claimed")) == ["EVALSHA"]
    assert claimed is not None
    assert len(claimed.entries) == 64


def test_a_publication_is_one_command_and_makes_no_client(private: PrivateServer, monitor: Monitor) -> None:
    made: list[redis.Redis] = []
    original = redis.Redis.__init__

    def counted(self: redis.Redis, *args: Any, **kwargs: Any) -> None:
        made.append(self)
        original(self, *args, **kwargs)

    with app.connection_for_write(private.url) as connection, mock.patch.object(redis.Redis, "__init__", counted):
        mark.apply_async(("first",), connection=connection, ignore_result=True)
        monitor.until_mark("connected")
        clients, connections = len(made), private.client.info("clients")["connected_clients"]
        assert clients > 0
        monitor.until_mark("counted")
        for number in range(20):
            mark.apply_async((number,), connection=connection, ignore_result=True)
        assert names(monitor.until_mark("published")) == ["EVALSHA"] * 20
        assert len(made) == clients
        assert private.client.info("clients")["connected_clients"] == connections


def test_fifty_idle_consumers_cost_one_push_ten_commands_at_most(
    private: PrivateServer, monitor: Monitor, store: MessageStore, show: Show
) -> None:
    """Consumers in processes of their own, by plain kombu. Their beats, one a second for each, are not counted."""
    crowd = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.broker.crowd", private.url, str(CROWD)], stdin=subprocess.PIPE
    )
    try:
        eventually(lambda: private.client.scard(f"bgjobs:idle:{QUEUE}") == CROWD)
        costs = []
        for number in range(PUSHES):
            quiet(monitor, store)
            store.publish(QUEUE, QUEUE, json.dumps({"body": "1", "properties": {"delivery_tag": str(number)}}))
            eventually(lambda: private.client.llen(QUEUE) == 0)
            sent = names(quiet(monitor, store, ignored=("LLEN",)))
            costs.append(len(sent))
        show(f"commands per push: {costs}; of the last: { ({name: sent.count(name) for name in sorted(set(sent))}) }")
        assert not private.client.keys("bgjobs:leases:*")
        assert max(costs) <= COMMANDS_PER_PUSH
        assert min(costs) >= 3, "publication, claim and acknowledgement are not in the count"
    finally:
        crowd.communicate(timeout=10)


def quiet(monitor: Monitor, store: MessageStore, ignored: tuple[str, ...] = ()) -> list[str]:
    """All commands up to a second without any; beats and `ignored` are left out."""
    everything: list[str] = []
    while True:
        threading.Event().wait(1.0)
        found = monitor.until_mark(f"mark-{time.monotonic()}")
        counted = [one for one in found if store.script("pulse")._sha not in one and not one.startswith(ignored)]
        if not counted:
            return everything
        everything += counted


def test_acknowledgements_travel_together_and_are_never_twenty_milliseconds_late(
    store: MessageStore, monitor: Monitor, private: PrivateServer
) -> None:
    for _ in range(3):
        store.publish(QUEUE, QUEUE, '{"properties": {}}')
    custody = Custody(store, name="broker", holds_engine_state=False)
    heartbeat = custody._heartbeat
    # Its chore is done by hand here.
    heartbeat.chores = tuple(one for one in heartbeat.chores if one != custody.settle_pending)
    try:
        claimed = custody.claim(3, [QUEUE], was_idle=False)
        assert claimed is not None
        first, second, third = claimed.entries
        custody.held |= {entry.lease: entry for entry in claimed.entries}
        monitor.until_mark("claimed")
        with mock.patch.object(custody_module, "time") as clock:
            clock.monotonic.return_value = 100.0
            custody.acknowledge(first.lease)
            wait = custody.settle_pending()
            assert wait is not None
            assert 0 < wait <= LATEST_ACKNOWLEDGEMENT
            clock.monotonic.return_value = 100.0 + wait / 2
            custody.acknowledge(second.lease)
            assert custody.settle_pending() is not None
            assert private.client.hlen(f"bgjobs:leases:{owner_id()}") == 3
            clock.monotonic.return_value = 100.0 + wait
            assert custody.settle_pending() is None
        assert names(monitor.until_mark("told"))[-1] == "EVALSHA"
        assert list(private.client.hgetall(f"bgjobs:leases:{owner_id()}")) == [third.lease]
        custody.acknowledge(third.lease)
        custody.claim(1, [QUEUE], was_idle=False)
        assert names(monitor.until_mark("claimed again"))[-1] == "EVALSHA"  # it took the acknowledgement along
        assert not private.client.exists(f"bgjobs:leases:{owner_id()}")
    finally:
        del heartbeat.pulses["broker"]
        heartbeat.farewells = tuple(one for one in heartbeat.farewells if one != custody.leave)


def test_a_busy_workers_jobs_cost_less_than_a_command_each_for_claim_and_acknowledgement(
    worker: Callable[..., Worker], private: PrivateServer, monitor: Monitor, show: Show
) -> None:
    with app.connection_for_write(private.url) as connection:
        for number in range(JOBS):
            mark.apply_async((number,), connection=connection, ignore_result=True)
    monitor.until_mark("published")
    worker(
        *("--include=tests.integration.broker.jobs", "--queues=high_priority", "--pool=threads", "--concurrency=8"),
        environment={"BROKER_URL": private.url},
    )
    eventually(lambda: private.client.llen(SEEN) == JOBS and not private.client.keys("bgjobs:leases:*"))
    sent = monitor.until_mark("ran")
    settling = [one for one in sent if one.startswith(("EVALSHA", "HDEL bgjobs:leases"))]  # its beats are in it, too
    show(f"{JOBS} jobs, {len(settling)} commands for claims, acknowledgements and beats")
    assert len(settling) < JOBS
