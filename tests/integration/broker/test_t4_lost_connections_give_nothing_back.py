"""Connections break and servers die under load: what runs goes on, and is acknowledged however late."""

import random
import time

import pytest

from ..workers import eventually
from .broker_servers import BrokerServer
from .conftest import Crew, Show
from .owners import owner
from .trial import QUEUE, Trial, publish_numbers

TROUBLES = 3  # of each kind
POOLS = (("prefork", 2), ("threads", 2), ("solo", 1))
LONGEST = 0.4  # seconds that a job takes


@pytest.mark.slow
def test_workers_go_on_and_start_each_job_once(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, show: Show
) -> None:
    for pool, slots in POOLS:
        crew(valkey_server, f"--pool={pool}", f"--concurrency={slots}", wait=False)
    crew.all_ready()
    for number in range(400):
        publish_numbers(valkey_server, "work", [number], random.uniform(0, LONGEST))
    trial.wait(1)
    for trouble in random.sample(["connections", "server"] * TROUBLES, 2 * TROUBLES):
        time.sleep(random.uniform(0.3, 1.0))
        if trouble == "connections":
            valkey_server.drop_connections()
        else:
            valkey_server.kill()
            time.sleep(random.uniform(0, 1.5))
            valkey_server.start()
    assert valkey_server.waiting() > 0  # there was load until the end
    eventually(valkey_server.settled, timeout=60)
    assert trial.counts("end") == trial.counts("start") == dict.fromkeys(range(400), 1)
    assert all(worker.is_up() for worker in crew.started)
    assert valkey_server.client.hlen("bgjobs:troubles") == 0
    show(f"{len(trial.lines())} jobs, each once, through {2 * TROUBLES} troubles")


@pytest.mark.slow
def test_jobs_that_outlast_their_connection_are_acknowledged_on_the_next_one(
    valkey_server: BrokerServer, crew: Crew, trial: Trial
) -> None:
    """Their server is down for longer than a silent worker is believed to live."""
    for pool, _ in POOLS:
        crew(valkey_server, f"--pool={pool}", "--concurrency=1", wait=False)
    crew.all_ready()
    jobs = range(len(POOLS))
    publish_numbers(valkey_server, "work", jobs, 2.0)
    trial.wait(len(jobs))
    crew(valkey_server, "--pool=solo")
    valkey_server.kill()
    trial.wait(len(jobs), "end")
    time.sleep(4)
    valkey_server.start()
    assert valkey_server.waiting() == 0
    eventually(valkey_server.settled)
    publish_numbers(valkey_server, "work", ["after"])
    trial.wait_for(["after"])
    assert trial.counts() == {**dict.fromkeys(jobs, 1), "after": 1}
    assert all(worker.is_up() for worker in crew.started)
    assert not any("broker.rescued" in worker.log for worker in crew.started)


def test_leases_outlive_their_server(broker_server: BrokerServer) -> None:
    publish_numbers(broker_server, "work", range(3))
    name = owner(broker_server)
    claimed = broker_server.store.claim(name, call=1, most=2, queues=[QUEUE])
    assert claimed is not None
    broker_server.restart()
    assert (broker_server.waiting(), broker_server.leased()) == (1, 2)
    assert broker_server.store.acknowledge(name, [entry.lease for entry in claimed.entries]) == 2
    assert broker_server.leased() == 0
