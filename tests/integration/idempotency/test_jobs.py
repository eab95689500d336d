"""Duplicates on real workers."""

import os
import signal
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import redis
from celery import chain, chord, group

from apps.core import context
from apps.core.exceptions import IdempotencyKeyError
from apps.core.idempotency.store import RECORD_PREFIX

from ..workers import Worker, eventually
from . import jobs

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("settled_server")]
Seen = Callable[..., list[dict[str, Any]]]
Start = Callable[..., Worker]
JOBS = "--include=tests.integration.idempotency.jobs"
FIRING = "bgjobs_firing"


def meta(result: Any) -> dict[str, Any]:
    found: dict[str, Any] = result.backend.get_task_meta(result.id)
    return found


def test_fifty_processes_with_one_key_run_it_once(worker: Start, seen: Seen) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=50", "--prefetch-multiplier=1")
    results = [jobs.crowd.delay() for _ in range(50)]
    values = {result.get(timeout=60) for result in results}
    assert len(seen(1)) == 1
    assert len(values) == 1
    assert sum("duplicate_of" in meta(result) for result in results) == 49


def test_fifty_duplicates_that_do_not_wait_are_skipped_and_say_so(
    worker: Start, seen: Seen, server: redis.Redis
) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=50")
    first = jobs.held_skip.delay()
    seen(1)
    others = [jobs.held_skip.delay() for _ in range(49)]
    assert [result.get(timeout=60) for result in others] == [None] * 49
    assert {meta(result)["duplicate_of"] for result in others} == {first.id}
    server.rpush("test:release", 1)
    assert first.get(timeout=30) == "held"
    assert len(seen(1)) == 1


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_equal_calls_run_once_and_are_answered(worker: Start, seen: Seen, pool: str) -> None:
    running = worker(JOBS, "--queues=maintenance", f"--pool={pool}", "--concurrency=2")
    value = uuid.uuid4().hex
    assert jobs.once.delay(value).get(timeout=30) == value
    assert jobs.once.delay(value=value).get(timeout=30) == value
    assert jobs.once.delay(value, other="default").get(timeout=30) == value
    assert jobs.once.delay(value, other="else").get(timeout=30) == value
    assert jobs.once.delay(None).get(timeout=30) is None
    answered = jobs.once.delay(None)
    assert answered.get(timeout=30) is None
    assert meta(answered)["duplicate_of"]
    assert len(seen(3)) == 3
    outcomes = [event["outcome"] for event in running.events() if event["event"] == "job.duplicate"]
    assert outcomes == ["answered"] * 3


def test_eight_firings_run_eight_times_and_the_same_firing_once(worker: Start, seen: Seen) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=2")
    firings = [f"2026-11-23T{hour:02}:{minute}:00+00:00" for hour in range(4) for minute in (12, 42)]
    for firing in [*firings, firings[0], firings[7]]:
        jobs.once.apply_async(headers={FIRING: firing}).get(timeout=30)
    assert len(seen(8)) == 8


def test_tenants_do_not_share_keys_and_a_missing_one_is_refused_at_enqueue(worker: Start, seen: Seen) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=2")
    for tenant in (1, 2, 1):
        with context.using(tenant_id=tenant):
            jobs.once_per_tenant.delay().get(timeout=30)
    assert len(seen(2)) == 2
    with pytest.raises(IdempotencyKeyError, match=r"context\.using"):
        jobs.once_per_tenant.delay()


def test_an_argument_without_a_canonical_form_is_refused_at_enqueue(server: redis.Redis) -> None:
    with pytest.raises(IdempotencyKeyError, match="pass an id or plain data"):
        jobs.once.delay(object())
    assert server.llen("maintenance") == 0


def test_a_retried_job_is_not_its_own_duplicate(worker: Start, seen: Seen) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=2")
    first = jobs.third_time.delay()
    seen(1)
    second = jobs.third_time.delay()  # while the first one waits for its retry
    assert first.get(timeout=30) == "done"
    assert [line["attempt"] for line in seen(3)] == [0, 1, 2]
    assert {line["job"] for line in seen(3)} == {first.id}
    assert second.get(timeout=30) is None
    assert meta(second)["duplicate_of"] == first.id


def test_a_failure_is_told_to_duplicates_and_forgotten_soon(worker: Start, seen: Seen, server: redis.Redis) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=1")
    results = [jobs.failing.delay() for _ in range(2)]
    for result in results:
        with pytest.raises(Exception, match="no site 42"):
            result.get(timeout=30)
    assert type(results[0].result).__name__ == "LookupError"
    assert type(results[1].result).__name__ == "DuplicateOfFailedError"
    assert results[1].result.args == ("LookupError", "no site 42")
    assert len(seen(1)) == 1
    (key,) = server.scan_iter(f"{RECORD_PREFIX}test.failing*")
    assert 50_000 < server.pttl(key) <= 60_000


def test_another_delivery_of_a_running_job_waits_and_gets_its_result(
    worker: Start, seen: Seen, server: redis.Redis
) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=2")
    result = jobs.held_skip.apply_async(task_id="the-same-job")
    seen(1)
    jobs.held_skip.apply_async(task_id="the-same-job")
    eventually(lambda: result.state == "RETRY")  # although the task says skip: it is no duplicate
    server.rpush("test:release", 1)
    assert eventually(lambda: result.state == "SUCCESS")
    assert result.get(timeout=30) == "held"
    assert len(seen(1)) == 1


def test_sets_and_other_types_travel_and_have_one_key(worker: Start, seen: Seen) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=1")
    values: list[Any] = [
        ({"b", "a", ("x", 1)}, {("x", 1), "a", "b"}),
        (timedelta(days=1), timedelta(hours=24)),
        (Decimal("1.50"), Decimal("1.5")),
        ({"n": {"y": frozenset({1}), "x": UUID(int=5)}}, {"n": {"x": UUID(int=5), "y": frozenset({1})}}),
    ]
    for left, right in values:
        assert jobs.kind_of.delay(left).get(timeout=30) == type(left).__name__
        assert jobs.kind_of.delay(right).get(timeout=30) == type(left).__name__
    assert len(seen(4)) == 4


def test_a_large_result_is_marked_and_not_stored(worker: Start, seen: Seen, server: redis.Redis) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=1")
    first = jobs.large.delay(70_000)
    assert len(first.get(timeout=30)) == 70_000
    second = jobs.large.delay(70_000)
    assert second.get(timeout=30) is None
    assert meta(second)["result_omitted"].startswith("too large: 70")
    assert meta(second)["duplicate_of"] == first.id
    (key,) = server.scan_iter(f"{RECORD_PREFIX}test.large*")
    assert len(server.hget(key, "result")) < 100


def test_a_duplicate_that_asks_for_it_is_told_by_an_error(worker: Start, seen: Seen, server: redis.Redis) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=2")
    first = jobs.held_raise.delay()
    seen(1)
    with pytest.raises(Exception, match=f"Job {first.id} with the same key is running since"):
        jobs.held_raise.delay().get(timeout=30)
    server.rpush("test:release", 1)
    first.get(timeout=30)


def test_a_waiting_duplicate_is_visible_and_gets_the_result(worker: Start, seen: Seen, server: redis.Redis) -> None:
    running = worker(JOBS, "--queues=maintenance", "--concurrency=2")
    first = jobs.held_wait.delay()
    seen(1)
    second = jobs.held_wait.delay()
    eventually(lambda: second.state == "RETRY")
    assert "same key is running" in str(second.info)
    server.rpush("test:release", 1)
    assert second.get(timeout=30) == first.get(timeout=30)
    assert len(seen(1)) == 1
    assert meta(second)["retries"] == 0
    assert "waiting" in [event["outcome"] for event in running.events() if event["event"] == "job.duplicate"]


def test_canvas_with_duplicates_inside_completes(worker: Start, seen: Seen, server: redis.Redis) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=4")
    same = [jobs.once.s("same") for _ in range(3)]
    assert chord(same)(jobs.once.s()).get(timeout=60) == ["same"] * 3
    assert group(jobs.once.s("g"), jobs.once.s("g")).delay().get(timeout=60) == ["g", "g"]
    assert chain(jobs.once.si("c"), jobs.once.si("c"), jobs.once.s("d")).delay().get(timeout=60) == "c"
    # A duplicate of a running job waits where somebody needs its result, although the task says skip.
    held = group(jobs.held_skip.s(), jobs.held_skip.s()).delay()
    seen(5)
    server.rpush("test:release", 1)
    assert held.get(timeout=60) == ["held", "held"]


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_the_documented_example_runs_and_settings_stay_with_their_task(worker: Start, seen: Seen, pool: str) -> None:
    worker(JOBS, "--queues=maintenance", f"--pool={pool}", "--concurrency=1")
    with context.using(tenant_id=1):
        for task in (jobs.my_task, jobs.my_other_task, jobs.plain_task, jobs.my_task, jobs.my_other_task):
            task.delay().get(timeout=30)
    lines = {line["task"].rpartition(".")[2]: (line["ttl"], line["scope"]) for line in seen(3)}
    assert len(seen(3)) == 3
    assert lines == {"my_task": (3600, "global"), "my_other_task": (60, "tenant"), "plain_task": (3600, "global")}


def test_after_kill_9_of_its_worker_exactly_one_duplicate_takes_over(
    worker: Start, seen: Seen, server: redis.Redis
) -> None:
    holder = worker(JOBS, "--queues=maintenance", "--concurrency=1", "--hostname=holder@%h")
    jobs.held_wait.delay()
    (first,) = seen(1)
    worker(JOBS, "--queues=maintenance", "--concurrency=3", "--hostname=heirs@%h")
    heirs = [jobs.held_wait.delay() for _ in range(3)]
    eventually(lambda: all(result.state == "RETRY" for result in heirs))
    killed = time.time()
    holder.kill()
    second = seen(2)[1]
    assert second["started"] - killed < 4 + 2
    assert second["fence"] > first["fence"]
    server.rpush("test:release", 1)
    assert {result.get(timeout=30) for result in heirs} == {f"by {second['pid']}"}
    assert len(seen(2)) == 2


def test_a_worker_that_has_ended_is_not_waited_for(worker: Start, seen: Seen, server: redis.Redis) -> None:
    ended = worker(JOBS, "--queues=maintenance", "--pool=solo")
    jobs.once.delay("x").get(timeout=30)
    owners = [owner for owner in server.scan_iter("bgjobs:owner:*") if f":{ended.process.pid}:" in owner]
    assert len(owners) == 1
    ended.stop()
    assert not server.exists(*owners)


def test_after_kill_9_of_its_own_process_a_job_runs_again_within_eight_seconds(
    worker: Start, seen: Seen, server: redis.Redis
) -> None:
    worker(JOBS, "--queues=maintenance", "--concurrency=2")
    result = jobs.held_skip.delay()
    (first,) = seen(1)
    killed = time.monotonic()
    os.kill(first["pid"], signal.SIGKILL)
    second = seen(2)[1]
    assert time.monotonic() - killed < 8
    assert second["job"] == first["job"] == result.id
    server.rpush("test:release", 1)
    assert result.get(timeout=30) == "held"


def test_a_holder_that_slept_past_its_lease_cannot_store_its_result_and_says_so(
    worker: Start, seen: Seen, server: redis.Redis
) -> None:
    sleeper = worker(JOBS, "--queues=maintenance", "--concurrency=1", "--hostname=sleeper@%h")
    late = jobs.held_wait.delay()
    seen(1)
    os.killpg(sleeper.process.pid, signal.SIGSTOP)
    worker(JOBS, "--queues=maintenance", "--concurrency=1", "--hostname=heir@%h")
    heir = jobs.held_wait.delay()
    second = seen(2)[1]
    server.rpush("test:release", 1, 1)
    assert heir.get(timeout=30) == f"by {second['pid']}"
    os.killpg(sleeper.process.pid, signal.SIGCONT)
    eventually(lambda: "idempotency.claim_lost" in "".join(sleeper.lines))
    assert jobs.held_wait.delay().get(timeout=30) == f"by {second['pid']}"
    # It was delivered again, and answered with the heir's result.
    assert late.get(timeout=30) == f"by {second['pid']}"
    assert len(seen(2)) == 2


def test_a_job_twenty_times_longer_than_its_lease_runs_once_on_a_live_worker(worker: Start, seen: Seen) -> None:
    quick = {"TEST_HEARTBEAT_EVERY": "0.1", "TEST_DEAD_AFTER": "0.5"}
    worker(JOBS, "--queues=maintenance", "--concurrency=2", environment=quick)
    first = jobs.long_job.delay(10)
    seen(1)
    second = jobs.long_job.delay(10)
    assert first.get(timeout=60) == second.get(timeout=60) == "ended"
    assert len(seen(1)) == 1
