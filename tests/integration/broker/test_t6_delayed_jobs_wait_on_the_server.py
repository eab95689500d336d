"""eta, countdown and retry wait in the delayed set, in no worker's memory."""

import os
import random
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from ..workers import eventually
from . import trial_jobs
from .broker_servers import BrokerServer
from .conftest import Crew, Show
from .owners import owner
from .trial import QUEUE, Trial, publish, text_of

MANY = int(os.environ.get("DELAYED_JOBS", "2000"))  # `make chaos` has 10,000
ON_TIME = 1.0  # seconds


@pytest.mark.slow
def test_thousands_of_delayed_jobs_outlive_all_workers_and_run_once(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, show: Show
) -> None:
    first = [crew(valkey_server, f"--pool={pool}", wait=False) for pool in ("prefork", "threads", "solo")]
    crew.all_ready()
    begin = time.time() + 6
    for number in range(MANY):
        publish(valkey_server, "work", number, eta=begin + random.uniform(0, 4))
    assert (valkey_server.delayed(), valkey_server.waiting(), valkey_server.leased()) == (MANY, 0, 0)
    for worker in first:
        worker.kill()
    others = [crew(valkey_server, "--pool=solo", "--loglevel=error", wait=False) for _ in range(2)]
    assert valkey_server.delayed() == MANY
    trial.wait_for(range(MANY), "end", timeout=60)
    eventually(valkey_server.settled)
    assert set(trial.counts().values()) == {1}
    assert min(line["at"] for line in trial.lines()) >= begin
    assert all(worker.is_up() for worker in others)
    show(f"{MANY} jobs due within 4 s had started {max(line['at'] for line in trial.lines()) - begin:.1f} s later")


@pytest.mark.slow
def test_delayed_jobs_start_on_time(valkey_server: BrokerServer, crew: Crew, trial: Trial, show: Show) -> None:
    for pool in ("prefork", "solo"):
        crew(valkey_server, f"--pool={pool}", "--concurrency=2", wait=False)
    crew.all_ready()
    begin = time.time() + 0.5
    etas = {number: begin + random.uniform(0, 5) for number in range(300)}
    for number, eta in etas.items():
        publish(valkey_server, "work", number, eta=eta)
    with trial_jobs.work.app.connection_for_write(valkey_server.url) as connection:
        sent = time.time()
        trial_jobs.work.apply_async(("countdown",), countdown=2, connection=connection)
        instant = datetime.fromtimestamp(sent + 3, UTC)
        trial_jobs.work.apply_async(("eta",), eta=instant, connection=connection)
        trial_jobs.again.apply_async(("retry", 1.5), connection=connection)
    etas |= {"countdown": sent + 2, "eta": sent + 3}
    trial.wait_for(etas, "end")
    (retried,) = trial.wait(1, "retry")
    eventually(lambda: trial.counts()["retry"] == 2)
    etas["retry"] = retried["at"] + 1.5
    late = {line["number"]: line["at"] - etas[line["number"]] for line in trial.lines() if not is_first_try(line)}
    assert set(late) == set(etas)
    assert min(late.values()) > -0.05  # the moment of a countdown is read twice
    assert max(late.values()) < ON_TIME
    assert trial.counts() == {**dict.fromkeys(etas, 1), "retry": 2}
    ready = {line["number"]: line["ready_at"] for line in trial.lines() if not is_first_try(line)}
    assert ready == pytest.approx(etas, abs=0.05)
    show(f"the latest of {len(late)} started {max(late.values()) * 1000:.0f} ms after its time")


def is_first_try(line: dict[str, Any]) -> bool:
    return line["number"] == "retry" and line["attempt"] == 0


@pytest.mark.slow
def test_a_job_that_is_to_be_retried_waits_on_the_server(
    valkey_server: BrokerServer, crew: Crew, trial: Trial
) -> None:
    worker = crew(valkey_server, "--pool=prefork", "--concurrency=1")
    publish(valkey_server, "again", "retry", 3)
    trial.wait(1, "retry")
    eventually(lambda: valkey_server.leased() == 0)
    assert valkey_server.delayed() == 1
    worker.kill()
    crew(valkey_server, "--pool=solo")
    eventually(lambda: trial.counts()["retry"] == 2)
    eventually(valkey_server.settled)


def test_a_delayed_message_waits_in_the_delayed_set_until_it_is_due(broker_server: BrokerServer) -> None:
    now = time.time()
    publish(broker_server, "work", "late", eta=now + 60)
    publish(broker_server, "work", "soon", eta=now + 0.5)
    name = owner(broker_server)
    claimed = broker_server.store.claim(name, call=1, most=9, queues=[QUEUE])
    assert claimed is not None
    assert not claimed.entries
    assert claimed.next_due == pytest.approx(now + 0.5, abs=0.001)
    assert broker_server.delayed() == 2
    eventually(lambda: time.time() > now + 0.6)
    claimed = broker_server.store.claim(name, call=2, most=9, queues=[QUEUE])
    assert claimed is not None
    assert [b'"ready_at"' in entry.text for entry in claimed.entries] == [True]
    assert broker_server.delayed() == 1


def test_any_process_that_beats_moves_what_is_due(broker_server: BrokerServer) -> None:
    publish(broker_server, "work", "soon", eta=time.time() + 0.2)
    eventually(lambda: broker_server.store.pulse(["any"], queues=[], all_queues=[QUEUE]) and broker_server.waiting())
    assert broker_server.delayed() == 0


@pytest.mark.slow
def test_a_stock_producers_eta_does_not_wait_in_a_worker_either(
    valkey_server: BrokerServer, crew: Crew, trial: Trial
) -> None:
    crew(valkey_server, "--pool=prefork", "--concurrency=1")
    due = time.time() + 4
    for number in range(20):
        valkey_server.client.lpush(QUEUE, text_of("work", number, eta=due))
    eventually(lambda: valkey_server.delayed() == 20)
    assert valkey_server.leased() == 0
    assert not trial.lines()
    trial.wait_for(range(20))
    assert set(trial.counts().values()) == {1}
    assert all(-0.01 < line["at"] - due < ON_TIME for line in trial.lines())
