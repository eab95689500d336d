"""Jobs of a real worker, while the service that they call is down."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from apps.core.circuit_breaker.store import KNOWN_KEY, PARKED_PREFIX, RECORD_PREFIX

from ..workers import Worker, eventually
from . import jobs
from .records import keys_of
from .unsteady_service import UnsteadyService

pytestmark = pytest.mark.slow
Seen = Callable[..., list[dict[str, Any]]]
Start = Callable[..., Worker]
PARKED = PARKED_PREFIX + jobs.SERVICE
DELAYED = "bgjobs:delayed:external_api"


@pytest.fixture
def service(server: redis.Redis) -> Iterator[UnsteadyService]:
    def forget() -> None:
        server.delete(*keys_of(jobs.SERVICE), DELAYED)
        server.zrem(KNOWN_KEY, jobs.SERVICE)

    forget()
    made = UnsteadyService()
    yield made
    made.close()
    forget()


def start(worker: Start, *, open_for: float) -> Worker:
    return worker(
        "--include=tests.integration.circuit_breaker.jobs",
        "--queues=external_api",
        "--concurrency=2",
        environment={"TEST_BREAKER_OPEN_FOR": str(open_for)},
    )


def test_jobs_wait_without_spending_a_retry_and_all_run_when_the_service_is_well(
    worker: Start, seen: Seen, service: UnsteadyService, server: redis.Redis
) -> None:
    running = start(worker, open_for=4)
    failed = [jobs.call_out.delay(number, service.url) for number in range(5)]
    eventually(lambda: server.hget(RECORD_PREFIX + jobs.SERVICE, "state") == "open")
    probe_at = float(server.hget(RECORD_PREFIX + jobs.SERVICE, "probe_at") or 0)
    later = [jobs.call_out.delay(number, service.url) for number in range(5, 8)]
    eventually(lambda: server.zcard(PARKED) == 8)  # the five that failed come for their retry
    due = dict(server.zrange(PARKED, 0, -1, withscores=True))
    assert [moment - probe_at for moment in due.values()] == pytest.approx(
        [(2 * number) ** 0.5 for number in range(8)], abs=0.001
    )
    assert due.keys() == {one.id for one in (*failed, *later)}
    eventually(lambda: server.zcard(DELAYED) == 8)  # each has its time before it is laid there
    assert [status for _, status in service.calls] == [503] * 5  # nobody has called it since it opened

    duplicate = jobs.call_out.delay(7, service.url)
    assert duplicate.get(timeout=30) is None
    assert duplicate.backend.get_task_meta(duplicate.id)["duplicate_of"] == later[2].id  # whose key stays its own

    service.is_well = True
    assert [one.get(timeout=30) for one in (*failed, *later)] == list(range(8))
    lines = {line["job"]: line for line in seen(8)}
    assert [lines[one.id]["retries"] for one in failed] == [1] * 5
    assert [lines[one.id]["retries"] for one in later] == [0] * 3
    assert all(lines[job]["at"] >= moment for job, moment in due.items())
    assert [status for _, status in service.calls[5:]] == [200] * 8
    events = [event["event"] for event in running.events() if event["event"].startswith("breaker.")]
    assert events == ["breaker.opened", "breaker.probe", "breaker.closed"]
    assert server.zcard(DELAYED) == 0
    running.kill()  # sooner than it would end by itself


def test_after_a_failed_probe_all_wait_for_the_next(
    worker: Start, seen: Seen, service: UnsteadyService, server: redis.Redis
) -> None:
    running = start(worker, open_for=0.3)
    results = [jobs.call_out.delay(number, service.url) for number in range(5)]

    eventually(lambda: len(service.calls) > 5)
    assert "breaker.probe" in [event["event"] for event in running.events()]
    service.is_well = True
    assert [one.get(timeout=60) for one in results] == list(range(5))
    # Whoever calls spends a retry where the call fails; whoever may not call spends none.
    calls = {number: [status for path, status in service.calls if path == f"/{number}"] for number in range(5)}
    for line in seen(5):
        assert calls[line["number"]] == [503] * line["retries"] + [200]
    running.kill()
