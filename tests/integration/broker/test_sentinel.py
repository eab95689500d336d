"""A fail-over by real Sentinels, under load."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from kombu import Connection

from apps.core.broker import MessageStore

from .. import workers
from ..workers import SEEN, Worker, eventually
from .conftest import Show
from .jobs import mark, nap
from .private_server import ADDRESSED, HOST, PrivateServer

pytestmark = pytest.mark.slow
Start = Callable[..., Worker]
MASTER = "jobs"
BOUND = 20.0  # seconds: Sentinel's notice and vote, and the worker's way to the new master
OPTIONS = {"master_name": MASTER}
LOAD = 400
LONG = 3  # jobs that run all through the fail-over


class Installation:
    """A master, its replica and three Sentinels."""

    def __init__(self) -> None:
        self.master = PrivateServer("repl-diskless-sync-delay 0")
        self.replica = PrivateServer(f"replicaof {HOST} {self.master.port}", "repl-diskless-sync-delay 0")
        eventually(lambda: self.replica.client.info("replication")["master_link_status"] == "up")
        watch = (
            f"sentinel monitor {MASTER} {HOST} {self.master.port} 2",
            f"sentinel down-after-milliseconds {MASTER} 1000",
            f"sentinel failover-timeout {MASTER} 5000",
        )
        self.sentinels = [PrivateServer(*watch, sentinel=True) for _ in range(3)]
        eventually(lambda: all(self.others(one) == 2 for one in self.sentinels))

    @property
    def url(self) -> str:
        return ";".join(f"leased+sentinel://{HOST}:{one.port}/0" for one in self.sentinels)

    def others(self, sentinel: PrivateServer) -> int:
        return int(sentinel.client.sentinel_master(MASTER)["num-other-sentinels"])

    def close(self) -> None:
        for one in (*self.sentinels, self.replica, self.master):
            one.close()


@pytest.fixture
def worker(worker: Start, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts workers that get their transport options from their environment."""
    monkeypatch.setattr(workers, "CELERY", ADDRESSED)
    return worker


@pytest.fixture
def installation() -> Iterator[Installation]:
    made = Installation()
    yield made
    made.close()


def test_a_worker_goes_on_with_the_new_master_and_nothing_that_it_had_is_lost(
    installation: Installation, worker: Start, server: redis.Redis, show: Show
) -> None:
    environment = {
        "BROKER_URL": installation.url,
        "SEEN_URL": os.environ["BROKER_URL"],
        "BROKER_OPTIONS": json.dumps(OPTIONS),
    }
    arguments = ("--include=tests.integration.broker.jobs", "--queues=high_priority")
    running = [
        worker(*arguments, "--concurrency=4", f"--hostname={name}@test", environment=environment)
        for name in ("one", "two")
    ]
    with Connection(installation.url, transport_options=OPTIONS) as connection:
        for number in range(LONG):
            nap.apply_async((f"long {number}", 12), connection=connection, ignore_result=True)
        eventually(lambda: server.llen(SEEN) == LONG)
        for number in range(LOAD):
            nap.apply_async((number, 0.05), connection=connection, ignore_result=True)
        eventually(lambda: server.llen(SEEN) > LONG + 40)

        before = MessageStore(installation.master.client).depths(["high_priority"])["high_priority"]
        installation.master.process.send_signal(signal.SIGKILL)  # not waiting: the replica has what it has
        killed = time.monotonic()
        received = {number_of(text) for text in everything(installation.replica.client)}
        done = {line["value"] for line in reports(server)}
        eventually(lambda: installation.replica.client.info("replication")["role"] == "master", BOUND)
        elected = time.monotonic() - killed
        eventually(lambda: {line["value"] for line in reports(server)} - done, BOUND)
        back = time.monotonic() - killed
        after = publish_until_accepted(connection, "after")
    assert back < BOUND
    store = MessageStore(redis.Redis(HOST, installation.replica.port))
    eventually(lambda: empty(store), 60)
    runs = Counter(line["value"] for line in reports(server))
    lost = {*range(LOAD), *(f"long {number}" for number in range(LONG)), "after"} - runs.keys()
    repeated = {value: count for value, count in runs.items() if count > 1}
    show(
        f"{before.ready} waited and {before.leased} were held when the master was killed; new master after "
        f"{elected:.1f} s, next job after {back:.1f} s, publication after {after:.1f} s; "
        f"lost {len(lost)}, repeated {len(repeated)} of {LOAD + LONG}"
    )
    assert not lost & received, "the replica had received it"
    assert not any(str(value).startswith("long") for value in repeated), "a live owner's job was rescued"
    assert not [line for one in running for line in one.lines if "broker.rescued" in line]
    assert all(one.process.poll() is None for one in running)
    for one in running:
        one.kill()  # a warm shutdown would take its time


def reports(server: redis.Redis) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.lrange(SEEN, 0, -1)]


def everything(replica: redis.Redis) -> list[str]:
    """The messages that a server has, waiting or leased."""
    leased = [entry for key in replica.keys("bgjobs:leases:*") for entry in replica.hvals(key)]
    return [*replica.lrange("high_priority", 0, -1), *(entry.partition("\n")[2] for entry in leased)]


def number_of(text: str) -> Any:
    """The first argument of the job in this message."""
    first = json.loads(text)["headers"]["argsrepr"].strip("()").split(",")[0].strip("'")
    return int(first) if first.isdigit() else first


def publish_until_accepted(connection: Any, value: str) -> float:
    """Seconds until a producer that has been there all along has found the new master."""
    began = time.monotonic()
    while time.monotonic() - began < BOUND:
        try:
            mark.apply_async((value,), connection=connection, ignore_result=True, retry=False)
        except (*connection.connection_errors, *connection.channel_errors):
            threading.Event().wait(0.2)
        else:
            return time.monotonic() - began
    pytest.fail("the producer has not found the new master")


def empty(store: MessageStore) -> bool:
    depth = store.depths(["high_priority"])["high_priority"]
    return depth.ready == depth.delayed == depth.leased == 0
