"""kill -9 of a worker's main process: within eight seconds its jobs start elsewhere, once."""

import os
import random
import signal
import time
from typing import Any

import pytest
import redis

from apps.core.broker import MessageStore
from apps.core.owners import keep_quiet

from ..workers import eventually
from .broker_servers import BrokerServer, children_of, is_running
from .conftest import Crew, Show
from .owners import die, owner
from .private_server import HOST
from .trial import QUEUE, Trial, publish_numbers

DEADLINE = 8
ROUNDS = 3
SLOTS = {"prefork": 2, "threads": 2, "solo": 1}
RESCUERS = 5


@pytest.mark.slow
def test_after_kill_9_jobs_start_elsewhere_within_eight_seconds_and_once(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, show: Show
) -> None:
    pools = [pool for _ in range(ROUNDS) for pool in SLOTS]
    victims = [crew(valkey_server, f"--pool={pool}", f"--concurrency={SLOTS[pool]}", wait=False) for pool in pools]
    crew.all_ready()
    jobs = range(sum(SLOTS[pool] for pool in pools))
    publish_numbers(valkey_server, "long_at_first", jobs)
    first = trial.wait(len(jobs))
    children = [child for worker in victims for child in children_of(worker.process.pid)]
    assert len(children) >= ROUNDS * SLOTS["prefork"]
    rescuers = [crew(valkey_server, "--pool=threads", "--concurrency=2", wait=False) for _ in range(RESCUERS)]
    crew.all_ready()

    killed = {}
    for worker in random.sample(victims, len(victims)):
        killed[worker.name] = time.time()
        os.kill(worker.process.pid, signal.SIGKILL)  # its main process alone
        time.sleep(random.uniform(0, 0.4))
    trial.wait_for(jobs, "end", timeout=2 * DEADLINE)
    second = trial.lines()[len(first) :]
    held_by = {line["number"]: line["worker"] for line in first}
    waited = sorted(line["at"] - killed[held_by[line["number"]]] for line in second)
    show(f"rescued after {waited[0]:.1f} to {waited[-1]:.1f} s")
    assert waited[-1] < DEADLINE
    assert {line["worker"] for line in second} <= {worker.name for worker in rescuers}
    eventually(valkey_server.settled)
    assert set(trial.counts().values()) == {2}
    assert not any(is_running(child) for child in children)


def test_five_rescuers_at_once_give_a_job_back_once(broker_server: BrokerServer, settings: Any) -> None:
    settings.BGJOBS = {**settings.BGJOBS, "heartbeat_every": 0.05, "dead_after": 0.1}
    publish_numbers(broker_server, "work", range(30))
    dead = owner(broker_server)
    broker_server.store.claim(dead, call=1, most=30, queues=[QUEUE])
    order = [entry.partition(b"\n")[2] for _, entry in sorted_leases(broker_server, dead)]
    die(broker_server, dead)
    rescued = 0
    until = time.monotonic() + 1
    while time.monotonic() < until:
        for number in range(5):
            beat = broker_server.store.pulse([f"rescuer-{number}"], queues=[QUEUE], all_queues=[QUEUE])
            rescued += sum(beat.rescued.values())
        time.sleep(0.02)
    assert rescued == 30
    assert [*reversed(broker_server.client.lrange(QUEUE, 0, -1))] == order  # claimed next in the order as before


def test_only_a_new_server_takes_nobody_for_dead(broker_server: BrokerServer, settings: Any) -> None:
    """One that has been up is asked for something for the first time, and has not just come back for that."""
    settings.BGJOBS = {**settings.BGJOBS, "dead_after": 0.3}
    store, quiet = broker_server.store, "bgjobs:quiet"
    store.pulse(["rescuer"], queues=[QUEUE], all_queues=[QUEUE])
    assert broker_server.client.exists(quiet)
    eventually(lambda: not broker_server.client.exists(quiet))
    store.pause(QUEUE, seconds=0.01, why="test")
    store.revoke(["nobody"])
    store.depths([QUEUE])
    keep_quiet(store.connections)  # as at the first claim of an idempotency key
    assert not broker_server.client.exists(quiet)
    broker_server.restart()
    store.depths([QUEUE])
    assert broker_server.client.exists(quiet)


def test_each_installation_on_a_server_that_has_come_back_takes_nobody_for_dead(broker_server: BrokerServer) -> None:
    host, port = HOST, broker_server.port
    installations = [(redis.Redis(host, port, db=db), prefix) for db in (0, 1) for prefix in ("", "second:")]
    for client, prefix in installations:
        store = MessageStore(client, prefix)
        store.pulse(["rescuer"], queues=[QUEUE], all_queues=[QUEUE])
        assert client.exists(prefix + "bgjobs:quiet")
        client.close()


def sorted_leases(server: BrokerServer, name: str) -> list[tuple[bytes, bytes]]:
    return sorted(server.leases()[name].items(), key=lambda item: [*map(int, item[0].split(b"-"))])
