"""Jobs on real worker processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import chain, chord, group
from django.db import transaction

from apps.core import context
from apps.core.exceptions import UnknownQueueError
from intelliwiz_config.celery import app

from ..workers import CELERY, Worker, eventually
from .sample_jobs import echo, endless_report, flaky, held_report, parent, urgent

pytestmark = pytest.mark.slow
Seen = Callable[[int], list[dict[str, Any]]]
Start = Callable[..., Worker]
JOBS = "--include=tests.integration.core.sample_jobs"
EVERY_QUEUE = "--queues=critical,high_priority,email,reports,external_api,maintenance,ml_training"


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_context_travels_from_the_enqueuer_to_the_job_and_its_children(worker: Start, seen: Seen, pool: str) -> None:
    worker(JOBS, EVERY_QUEUE, f"--pool={pool}", "--concurrency=2")
    with context.using(tenant_id=7, user_id=9, correlation_id="request-1"):
        parent.apply_async(headers={"bgjobs_firing": "2026-11-23T12:12:00+00:00"})
    by_task = {line["task"]: line for line in seen(2)}
    for line in by_task.values():
        assert (line["tenant"], line["user"], line["correlation"]) == ("7", "9", "request-1")
    assert by_task["test.parent"]["firing"] == "2026-11-23T12:12:00+00:00"
    assert by_task["test.echo"]["firing"] is None
    assert by_task["test.parent"]["queue"] == "critical"
    assert by_task["test.echo"]["queue"] == "high_priority"


def test_a_retried_job_keeps_its_id_context_and_queue(worker: Start, seen: Seen) -> None:
    running = worker(JOBS, EVERY_QUEUE, "--concurrency=1")
    with context.using(tenant_id=7):
        result = flaky.apply_async(args=(2,), queue="email", headers={"bgjobs_firing": "2026-11-23T12:12:00+00:00"})
    assert result.get(timeout=30) == "done"
    lines = seen(3)
    assert [line["attempt"] for line in lines] == [0, 1, 2]
    for field in ("job", "tenant", "correlation", "firing", "queue"):
        assert len({line[field] for line in lines}) == 1, field
    assert lines[0]["queue"] == "email"
    retried = [event for event in running.events() if event["event"] == "job.retried"]
    assert [event["reason"] for event in retried] == ["transient", "transient"]


def test_chains_groups_and_chords_carry_the_context(worker: Start, seen: Seen) -> None:
    worker(JOBS, EVERY_QUEUE, "--concurrency=2")
    with context.using(tenant_id=7):
        chain(echo.si(1), echo.si(2)).delay()
        group(echo.si(3), echo.si(4)).delay()
        result = chord([echo.s(5), echo.s(6)])(echo.s())
    assert sorted(result.get(timeout=30)) == [5, 6]
    assert {line["tenant"] for line in seen(7)} == {"7"}


def test_the_log_tells_a_jobs_life_without_its_arguments(worker: Start, seen: Seen) -> None:
    running = worker(JOBS, EVERY_QUEUE, "--concurrency=1")
    echo.delay("secret argument ann@example.com").get(timeout=30)
    with pytest.raises(OSError, match="failed"):
        flaky.apply_async(args=(99,), retry=False, max_retries=0).get(timeout=30)
    events = eventually(
        lambda: {e["event"]: e for e in running.events()} if "job.failed" in str(running.events()) else None
    )
    assert events["job.started"]["wait_seconds"] >= 0
    assert events["job.succeeded"]["run_seconds"] >= 0
    assert events["job.failed"]["error"] == "OSError"
    assert events["job.failed"]["reason"] == "transient"
    assert any("sample_jobs.py" in frame for frame in events["job.failed"]["where"])
    output = "".join(running.lines)
    assert "secret argument" not in output
    assert "ann@example.com" not in output


def test_a_report_past_its_soft_limit_leaves_no_file_and_its_progress_was_seen(worker: Start, seen: Seen) -> None:
    worker(JOBS, EVERY_QUEUE, "--concurrency=1")
    result = endless_report.delay()
    (line,) = seen(1)
    assert result.state == "PROGRESS"
    assert result.info == {"done": 1, "total": 3, "note": "first part"}
    eventually(lambda: result.state == "FAILURE")
    assert not Path(line["path"]).parent.exists()


def test_urgent_work_starts_while_a_thousand_reports_wait_and_hold_all_their_slots(
    worker: Start, seen: Seen, server: redis.Redis
) -> None:
    worker(JOBS, "--queues=reports", "--concurrency=2", "--hostname=reports@%h")
    worker(JOBS, "--queues=critical", "--concurrency=2", "--hostname=critical@%h")
    for _ in range(1000):
        held_report.delay()
    seen(2)
    for _ in range(30):
        urgent.delay()
    lines = seen(32)
    assert [line["task"] for line in lines].count("test.held_report") == 2
    assert [line["task"] for line in lines].count("test.urgent") == 30
    server.delete("reports")
    server.rpush("test:release", *range(20))


def test_a_worker_serves_its_queues_in_strict_order(worker: Start, seen: Seen, server: redis.Redis) -> None:
    for queue in ("reports", "email", "high_priority", "critical"):
        for _ in range(5):
            echo.apply_async(queue=queue)
    worker(JOBS, "--queues=critical,high_priority,email,reports", "--concurrency=1")
    # One slot and a prefetch of one: the worker asks for the next message when it has ended one.
    assert [line["queue"] for line in seen(20)] == [
        queue for queue in ("critical", "high_priority", "email", "reports") for _ in range(5)
    ]


def test_a_job_waits_in_the_list_of_its_queue(server: redis.Redis) -> None:
    before = time.time()
    urgent.delay()
    app.send_task("test.urgent")
    assert server.llen("critical") == 2
    assert server.llen("maintenance") == 0
    assert f'"bgjobs_ready_at": {before:.0f}'[:-3] in server.lindex("critical", 0)


def test_a_task_that_nobody_has_imported_goes_where_its_declaration_says(server: redis.Redis) -> None:
    """As in a web process, and between apps that talk by task name."""
    script = """
import django
django.setup()
from intelliwiz_config.celery import app
assert "send_reminder_email" not in app._tasks
app.send_task("send_reminder_email")
app.send_task("of_another_project")
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60, env={**os.environ, "PYTHONPATH": "."})
    assert (server.llen("email"), server.llen("maintenance")) == (1, 1)


def test_an_unknown_queue_is_refused_at_enqueue_and_nothing_is_sent(server: redis.Redis) -> None:
    with pytest.raises(UnknownQueueError, match="did you mean 'critical'"):
        urgent.apply_async(queue="critcal")
    with pytest.raises(UnknownQueueError, match="did you mean 'email'"):
        app.send_task("test.urgent", queue="e-mail")
    assert not server.exists("critcal", "e-mail", "critical", "maintenance")


@pytest.mark.django_db(transaction=True)
def test_a_job_enqueued_on_commit_is_sent_with_the_commit_and_not_after_a_rollback(
    server: redis.Redis,
) -> None:
    with transaction.atomic():
        urgent.delay_on_commit()
        assert server.llen("critical") == 0
    assert server.llen("critical") == 1
    with transaction.atomic():
        urgent.delay_on_commit()
        transaction.set_rollback(True)
    assert server.llen("critical") == 1


def test_a_worker_with_a_wrongly_declared_task_exits_and_names_it() -> None:
    ended = subprocess.run(
        [*CELERY, "worker", "--include=tests.integration.core.wrongly_declared_jobs", "--concurrency=1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "Task 'test.bad': unknown option 'max_retry'; did you mean 'max_retries'?" in ended.stderr
    assert " ready." not in ended.stdout + ended.stderr
