"""A lease lasts as long as its owner lives, however long that is."""

import time
from typing import Any

import pytest

from ..workers import eventually
from .broker_servers import BrokerServer
from .conftest import Crew
from .owners import die, owner
from .trial import QUEUE, Trial, publish_numbers

DEAD_AFTER = 0.6
QUICK = {"TEST_HEARTBEAT_EVERY": "0.1", "TEST_DEAD_AFTER": str(DEAD_AFTER)}


@pytest.mark.slow
def test_jobs_ten_times_longer_than_every_timeout_run_once(
    valkey_server: BrokerServer, crew: Crew, trial: Trial
) -> None:
    for pool in ("prefork", "threads", "solo"):
        crew(valkey_server, f"--pool={pool}", "--concurrency=1", wait=False, **QUICK)
    crew.all_ready()
    publish_numbers(valkey_server, "work", range(3), 10 * DEAD_AFTER)
    trial.wait(3)
    crew(valkey_server, "--pool=solo", **QUICK)
    ended = trial.wait(3, "end")
    assert {line["worker"] for line in ended} == {worker.name for worker in crew.started[:3]}
    assert trial.counts() == {0: 1, 1: 1, 2: 1}
    eventually(valkey_server.settled)


def test_a_living_owner_keeps_its_leases_and_a_dead_one_does_not(broker_server: BrokerServer, settings: Any) -> None:
    settings.BGJOBS = {**settings.BGJOBS, "heartbeat_every": 0.02, "dead_after": 0.05}
    publish_numbers(broker_server, "work", range(2))
    living, dead = owner(broker_server), owner(broker_server)
    for name in (living, dead):
        broker_server.store.claim(name, call=1, most=1, queues=[QUEUE])
    die(broker_server, dead)
    rescued: dict[str, int] = {}
    until = time.monotonic() + 2
    while time.monotonic() < until:
        rescued |= broker_server.store.pulse(["rescuer"], queues=[QUEUE], all_queues=[QUEUE]).rescued
        time.sleep(0.02)
    assert rescued == {dead: 1}
    assert list(broker_server.leases()) == [living]
    assert broker_server.waiting() == 1


def test_a_job_is_not_given_to_a_second_owner_by_any_number_of_claims(broker_server: BrokerServer) -> None:
    publish_numbers(broker_server, "work", range(1))
    first, second = owner(broker_server), owner(broker_server)
    broker_server.store.claim(first, call=1, most=1, queues=[QUEUE])
    for call in range(1, 100):
        claimed = broker_server.store.claim(second, call=call, most=1, queues=[QUEUE])
        assert claimed is not None
        assert not claimed.entries
