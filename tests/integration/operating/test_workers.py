"""Quieting and stopping workers."""

import json
import time
from collections.abc import Callable

import pytest
from django.core.management import CommandError

from apps.core.broker.store import MessageStore
from apps.core.models import OperatorAction
from apps.core.operating import FailedError, RefusedError, quiet_worker, stop_worker

from ..dead_letters import jobs
from ..workers import Worker, eventually
from .acts import ANN, QUEUE, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.slow
def test_a_quiet_worker_takes_no_more_jobs_and_a_stopped_one_ends(
    store: MessageStore, worker: Callable[..., Worker]
) -> None:
    running = worker(
        "--include=tests.integration.dead_letters.jobs",
        f"--queues={QUEUE},email",
        "--hostname=one@test",
        "--concurrency=1",
    )
    with pytest.raises(RefusedError, match="No worker 'on@test' answers; did you mean 'one@test'"):
        quiet_worker("on@test", **ANN)
    assert not OperatorAction.objects.exists()
    all_listed = json.loads(run("workers", "--format=json"))["workers"]
    (listed,) = (one for one in all_listed if one["node"] is not None)  # of an earlier test there may be owners
    assert (listed["node"], listed["alive"], listed["queues"]) == ("one@test", True, [QUEUE, "email"])
    assert (listed["slots"], listed["busy"], listed["pid"]) == (1, 0, running.process.pid)
    assert "one@test" in run("workers")
    row = quiet_worker("one@test", **ANN)
    assert (row.expected, row.affected) == (2, 2)
    assert row.detail == f"one@test takes no more jobs of email, {QUEUE}."
    jobs.work.delay(1)
    assert quiet_worker("one@test", **ANN).detail == "one@test took jobs of no queue already."
    assert store.depths([QUEUE])[QUEUE].ready == 1
    assert run("stop", "one@test", "--reason=why").startswith("one@test was told to end")
    eventually(lambda: running.process.poll() is not None)
    assert running.process.returncode == 0
    assert store.depths([QUEUE])[QUEUE].ready == 1


def test_where_no_worker_is_nothing_is_stopped(store: MessageStore) -> None:
    assert "@" not in run("workers")
    with pytest.raises(CommandError, match="No worker 'one@test' answers"):
        run("stop", "one@test", "--reason=why")
    assert not OperatorAction.objects.exists()


@pytest.mark.usefixtures("no_broker")
def test_a_broker_that_is_down_is_not_waited_for() -> None:
    began = time.monotonic()
    with pytest.raises(FailedError, match="cannot do this now"):
        stop_worker("one@test", **ANN)
    assert time.monotonic() - began < 3
    assert not OperatorAction.objects.exists()
