"""Eight processes with one breaker."""

import json
import subprocess
import sys
from typing import Any

import pytest
import redis

from apps.core.circuit_breaker import Admitted, BreakerStore, Refused
from apps.core.circuit_breaker.store import FAILURES_PREFIX

from ..workers import eventually
from .records import ask, open_breaker, probe_time_comes, status_of

pytestmark = pytest.mark.slow
PROCESSES = 8


def start(service: str, role: str, count: int, processes: int) -> list[subprocess.Popen[str]]:
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.integration.circuit_breaker.hammer", service, role, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for one in running:
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
    return running


def at_once(service: str, role: str, count: int, processes: int = PROCESSES) -> list[Any]:
    """What each process says, after all have begun at the same moment."""
    running = start(service, role, count, processes)
    for one in running:
        assert one.stdin
        one.stdin.write("go\n")
        one.stdin.flush()
    return [json.loads(one.communicate(timeout=60)[0]) for one in running]


def test_every_failure_of_eight_processes_is_counted(client: redis.Redis, store: BreakerStore, service: str) -> None:
    said = at_once(service, "count", 250)
    assert said == [{"admitted": 250, "opened": 0}] * PROCESSES
    assert client.scard(FAILURES_PREFIX + service) == PROCESSES * 250
    assert status_of(store, service) is None


def test_eight_processes_open_it_once_at_the_fifth_failure(store: BreakerStore, service: str) -> None:
    said = at_once(service, "fail", 50)
    assert [one["admitted"] for one in said] == [50] * PROCESSES
    assert sum(one["opened"] for one in said) == 1
    status = status_of(store, service)
    assert status is not None
    assert (status.state, status.failures) == ("open", 5)


def test_of_fifty_callers_one_is_the_probe(client: redis.Redis, store: BreakerStore, service: str) -> None:
    open_breaker(store, service)
    probe_time_comes(client, service)
    said = at_once(service, "ask", 10, processes=5)
    assert sum(one["asked"] for one in said) == 50
    assert sum(one["admitted"] for one in said) == 1
    status = status_of(store, service)
    assert status is not None
    assert status.state == "half_open"


def test_a_probe_whose_process_is_killed_makes_room_when_its_lease_ends(
    client: redis.Redis, store: BreakerStore, service: str
) -> None:
    open_breaker(store, service)
    probe_time_comes(client, service)
    (prober,) = start(service, "hang", 1, processes=1)
    assert isinstance(ask(store, service), Refused)
    prober.kill()
    prober.communicate()
    heir = eventually(lambda: isinstance(found := ask(store, service), Admitted) and found)
    assert heir.is_probe
    assert store.succeed(service, heir) is True


def test_no_two_jobs_are_parked_with_the_same_number(store: BreakerStore, service: str) -> None:
    probe_at = open_breaker(store, service)
    said = at_once(service, "park", 50, processes=4)
    numbers = sorted((due - probe_at) ** 2 / 2 for one in said for due in one)
    assert numbers == pytest.approx(range(4 * 50), abs=0.001)
