"""Out of memory, a replica, loading: the worker waits and says so, and no job is lost or run twice."""

import socket
import time
from collections.abc import Callable

import pytest
import redis

from apps.core.broker.store import ServerRefusesWritesError

from ..workers import eventually
from .broker_servers import BrokerServer
from .conftest import Crew
from .owners import owner
from .private_server import HOST, free_port
from .trial import QUEUE, Trial, publish_numbers

QUICK = {"TEST_HEARTBEAT_EVERY": "0.1", "TEST_DEAD_AFTER": "0.6"}
RUNNING = 3
POOLS = ("prefork", "threads", "solo")
# Loading slows down, and the server answers meanwhile that it is busy.
SLOW_TO_LOAD = ("--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024")

Trouble = Callable[[BrokerServer], object]


def fill(server: BrokerServer) -> None:
    server.client.config_set("maxmemory", 1)


def make_replica(server: BrokerServer) -> None:
    server.client.replicaof("127.0.0.1", free_port())


def repair(server: BrokerServer) -> None:
    server.client.config_set("maxmemory", 0)
    server.client.replicaof("NO", "ONE")


@pytest.mark.slow
@pytest.mark.parametrize("trouble", [fill, make_replica], ids=["out of memory", "replica"])
def test_workers_wait_say_so_and_go_on(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, trouble: Trouble
) -> None:
    """The trouble lasts many times as long as a silent worker is believed to live."""
    for pool in POOLS:
        crew(valkey_server, f"--pool={pool}", "--concurrency=1", wait=False, **QUICK)
    idle = crew(valkey_server, "--pool=solo", "--queues=maintenance", wait=False, **QUICK)
    crew.all_ready()
    publish_numbers(valkey_server, "work", range(RUNNING), 5.0)
    publish_numbers(valkey_server, "work", range(RUNNING, 10))
    trial.wait(RUNNING)
    trouble(valkey_server)
    trial.wait_for(range(RUNNING), "end")  # while the server takes no writes
    time.sleep(2)
    assert len(trial.lines()) == RUNNING
    for worker in crew.started:
        assert "broker.refuses_writes" in worker.log
    late = crew(valkey_server, "--pool=solo", wait=False, **QUICK)
    eventually(lambda: "broker.refuses_writes" in late.log)
    repair(valkey_server)
    trial.wait_for(range(10))
    eventually(valkey_server.settled)
    assert trial.counts() == dict.fromkeys(range(10), 1)
    assert all(worker.is_up() for worker in crew.started)
    for worker in crew.started[:-1]:
        eventually(lambda worker=worker: "broker.takes_writes_again" in worker.log)
    assert not any("broker.rescued" in worker.log for worker in crew.started)
    assert "Traceback" not in idle.log


@pytest.mark.slow
def test_a_server_that_is_loading_is_waited_for(valkey_server: BrokerServer, crew: Crew, trial: Trial) -> None:
    for pool in POOLS:
        crew(valkey_server, f"--pool={pool}", "--concurrency=1", wait=False, **QUICK)
    crew.all_ready()
    for number in range(6000):
        valkey_server.client.set(f"filling:{number}", "x" * 100)
    publish_numbers(valkey_server, "work", range(RUNNING), 3.0)
    publish_numbers(valkey_server, "work", range(RUNNING, 10))
    trial.wait(RUNNING)
    valkey_server.kill()
    valkey_server.start(*SLOW_TO_LOAD, wait=False)
    eventually(lambda: is_loading(valkey_server))
    began = time.monotonic()
    trial.wait_for(range(RUNNING), "end")
    eventually(lambda: is_loading(valkey_server), timeout=5)
    late = crew(valkey_server, "--pool=solo", wait=False, **QUICK)
    trial.wait_for(range(10))
    eventually(valkey_server.settled)
    assert time.monotonic() - began > 3
    crew.ready(late)
    assert trial.counts() == dict.fromkeys(range(10), 1)
    assert all(worker.is_up() for worker in crew.started)
    assert not any("broker.rescued" in worker.log for worker in crew.started)
    assert all("heartbeat.failed" in worker.log for worker in crew.started[:-1])


def is_loading(server: BrokerServer) -> bool:
    """Asked in one round trip: while it loads, a server answers about once a second."""
    try:
        with socket.create_connection((HOST, server.port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"-LOADING")
    except ConnectionError:
        return False


@pytest.mark.parametrize("trouble", [fill, make_replica], ids=["out of memory", "replica"])
def test_a_full_server_or_a_replica_moves_no_message(broker_server: BrokerServer, trouble: Trouble) -> None:
    store = broker_server.store
    publish_numbers(broker_server, "work", range(3))
    name, dead = owner(broker_server), owner(broker_server, seconds=0.1)
    for one in (name, dead):
        claimed = store.claim(one, call=1, most=1, queues=[QUEUE])
        assert claimed is not None
    places = sorted(broker_server.places())
    trouble(broker_server)
    for _ in range(3):
        with pytest.raises(ServerRefusesWritesError):
            store.claim(name, call=2, most=1, queues=[QUEUE])
        assert store.pulse([name], queues=[QUEUE], all_queues=[QUEUE]).refused
    lease = claimed.entries[0].lease
    refused: list[Callable[[], object]] = [
        lambda: store.put_back(name, [lease]),
        lambda: store.delay(name, lease, queue=QUEUE, due=1.0),
        lambda: store.quarantine(name, lease, "{}"),
        lambda: store.leave(name, [QUEUE]),
    ]
    for move in refused:
        with pytest.raises(redis.ResponseError):
            move()
    assert sorted(broker_server.places()) == places
    assert (broker_server.waiting(), broker_server.leased()) == (1, 2)
    repair(broker_server)
    assert store.put_back(name, [lease]) == 1
    assert (broker_server.waiting(), broker_server.leased()) == (2, 1)


def test_a_full_server_still_hears_signs_of_life(broker_server: BrokerServer) -> None:
    name = owner(broker_server, seconds=1)
    broker_server.store.pulse([name], queues=[QUEUE], all_queues=[QUEUE])
    fill(broker_server)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        broker_server.store.pulse([name], queues=[QUEUE], all_queues=[QUEUE])
        assert broker_server.client.exists(f"bgjobs:owner:{name}")
        time.sleep(0.1)
    assert broker_server.client.pttl(f"bgjobs:owner:{name}") > 1000
