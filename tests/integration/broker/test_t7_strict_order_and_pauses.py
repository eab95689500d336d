"""Queues are served strictly in order, and a paused one by nobody."""

import time

import pytest

from ..workers import eventually
from .broker_servers import BrokerServer
from .conftest import Crew
from .owners import owner
from .trial import Trial, publish

QUEUES = ("critical", "high_priority", "maintenance")
ALL = f"--queues={','.join(QUEUES)}"
PAUSED = "high_priority"
CLIENTS = ("evalsha", "blmove", "blpop", "brpop", "ping")  # what workers send, and scripts do not


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_a_worker_serves_its_queues_in_strict_order(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, pool: str
) -> None:
    for number in range(20):
        for queue in reversed(QUEUES):
            publish(valkey_server, "work", f"{queue} {number}", queue=queue)
    crew(valkey_server, f"--pool={pool}", "--concurrency=1", ALL)
    trial.wait(60, "end")
    assert [line["number"] for line in trial.lines()] == [f"{queue} {n}" for queue in QUEUES for n in range(20)]


@pytest.mark.slow
def test_what_arrives_in_an_earlier_queue_is_next(valkey_server: BrokerServer, crew: Crew, trial: Trial) -> None:
    for number in range(10):
        publish(valkey_server, "work", f"later {number}", 0.2, queue="maintenance")
    crew(valkey_server, "--pool=prefork", "--concurrency=1", ALL)
    trial.wait(2)
    publish(valkey_server, "work", "urgent", queue="critical")
    trial.wait(11, "end")
    order = [line["number"] for line in trial.lines()]
    assert order.index("urgent") <= 3


@pytest.mark.slow
def test_a_pause_outlives_all_workers_and_holds_for_new_ones(
    valkey_server: BrokerServer, crew: Crew, trial: Trial
) -> None:
    workers = [crew(valkey_server, f"--pool={pool}", ALL, wait=False) for pool in ("prefork", "solo")]
    crew.all_ready()
    publish(valkey_server, "work", "running", 1.5, queue=PAUSED)
    trial.wait(1)
    assert valkey_server.store.pause(PAUSED, seconds=0, why="test") == 0
    publish(valkey_server, "work", "paused", queue=PAUSED)
    publish(valkey_server, "work", "paused and delayed", queue=PAUSED, eta=time.time() + 0.5)

    def goes_past_it(name: str) -> None:
        for number in range(5):
            publish(valkey_server, "work", f"{name} {number}", queue="maintenance")
        trial.wait_for(f"{name} {number}" for number in range(5))
        assert not {"paused", "paused and delayed"} & set(trial.counts())

    goes_past_it("first")
    trial.wait_for(["running"])  # what was claimed already runs on
    for worker in workers:
        worker.stop()
    late = crew(valkey_server, "--pool=threads", ALL)
    goes_past_it("second")
    time.sleep(1.2)  # two beats: nothing is found that way, either
    goes_past_it("third")
    resumed = time.time()
    assert valkey_server.store.resume(PAUSED)
    trial.wait_for(["paused", "paused and delayed"])
    starts = {line["number"]: line for line in trial.lines()}
    assert starts["paused"]["at"] - resumed < 1
    assert starts["paused"]["worker"] == late.name
    eventually(valkey_server.settled)


@pytest.mark.slow
def test_a_pause_may_end_by_itself(valkey_server: BrokerServer, crew: Crew, trial: Trial) -> None:
    crew(valkey_server, "--pool=solo", ALL)
    ends = valkey_server.store.pause(PAUSED, seconds=2, why="test")
    assert ends == pytest.approx(time.time() + 2, abs=0.2)
    publish(valkey_server, "work", "paused", queue=PAUSED)
    (start,) = trial.wait(1)
    assert 0 <= start["at"] - ends < 2  # a beat finds out


@pytest.mark.slow
def test_a_paused_queue_with_messages_costs_an_idle_worker_nothing(valkey_server: BrokerServer, crew: Crew) -> None:
    crew(valkey_server, "--pool=solo", ALL)
    valkey_server.store.pause(PAUSED, seconds=0, why="test")
    for number in range(100):
        publish(valkey_server, "work", number, queue=PAUSED)
    time.sleep(1.5)  # until what the worker awaited before the pause has been answered
    before, began = client_commands(valkey_server), time.monotonic()
    time.sleep(4)
    per_second = (client_commands(valkey_server) - before) / (time.monotonic() - began)
    assert per_second <= 3
    assert valkey_server.waiting(PAUSED) == 100


def client_commands(server: BrokerServer) -> int:
    found = server.client.info("commandstats")
    return sum(found.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in CLIENTS)


def test_the_claim_itself_passes_a_paused_queue(broker_server: BrokerServer) -> None:
    for queue in QUEUES:
        publish(broker_server, "work", queue, queue=queue)
    broker_server.store.pause(PAUSED, seconds=0, why="test")
    broker_server.restart()
    name = owner(broker_server)
    claimed = broker_server.store.claim(name, call=1, most=9, queues=QUEUES)
    assert claimed is not None
    assert [entry.queue for entry in claimed.entries] == ["critical", "maintenance"]
    assert PAUSED not in claimed.watched  # its messages would answer the wait at once, for ever
    assert broker_server.store.resume(PAUSED)
    assert not broker_server.store.resume(PAUSED)
    claimed = broker_server.store.claim(name, call=2, most=9, queues=QUEUES)
    assert claimed is not None
    assert [entry.queue for entry in claimed.entries] == [PAUSED]


def test_priorities_within_a_queue_are_kombus(broker_server: BrokerServer) -> None:
    for step in (9, 3, 0, 6):
        name = f"critical\x06\x16{step}" if step else "critical"
        broker_server.client.lpush(name, f'{{"step": {step}}}')
    claimed = broker_server.store.claim(owner(broker_server), call=1, most=9, queues=["critical"])
    assert claimed is not None
    assert [entry.text for entry in claimed.entries] == [b'{"step": %d}' % step for step in (0, 3, 6, 9)]
