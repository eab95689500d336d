"""Warm, soft and cold shutdown: what did not start goes back at once; what was cut short, too."""

import signal

import pytest

from ..workers import eventually
from .broker_servers import BrokerServer, children_of, is_running
from .conftest import Crew
from .trial import QUEUE, Trial, publish_numbers

SLOTS = {"prefork": 4, "threads": 4, "solo": 1}
POOLS = pytest.mark.parametrize("pool", SLOTS)
SOFT_TIME = 3.0  # the project's worker_soft_shutdown_timeout
SOFT = {"REMAP_SIGTERM": "SIGQUIT"}


@pytest.mark.slow
@POOLS
def test_a_warm_shutdown_ends_what_runs_and_gives_the_rest_back_at_once(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, pool: str
) -> None:
    worker = crew(valkey_server, f"--pool={pool}", f"--concurrency={SLOTS[pool]}")
    running = range(SLOTS[pool])
    publish_numbers(valkey_server, "work", running, 3.0)
    publish_numbers(valkey_server, "work", range(10, 20))
    trial.wait(len(running))
    worker.process.send_signal(signal.SIGTERM)
    eventually(lambda: (valkey_server.waiting(), valkey_server.leased()) == (10, len(running)), timeout=2)
    assert not trial.lines("end")
    assert worker.process.wait(10) == 0
    assert trial.counts("end") == dict.fromkeys(running, 1)
    assert (valkey_server.waiting(), valkey_server.leased()) == (10, 0)
    crew(valkey_server, "--pool=solo")
    trial.wait_for(range(10, 20))
    assert set(trial.counts().values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pool", "stop"),
    [*((pool, signal.SIGTERM) for pool in SLOTS), ("prefork", signal.SIGQUIT)],
    ids=[*SLOTS, "prefork-cold"],
)
def test_jobs_that_wait_for_their_rate_limit_go_back_at_once(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, pool: str, stop: signal.Signals
) -> None:
    worker = crew(valkey_server, f"--pool={pool}", "--concurrency=4")
    publish_numbers(valkey_server, "limited", range(4))
    trial.wait(1, "end")
    eventually(lambda: valkey_server.leased() == 3)
    if pool == "prefork":  # the others' slots are all taken by what waits
        publish_numbers(valkey_server, "work", ["running"], 3.0)
        trial.wait(2)
    worker.process.send_signal(stop)
    # A cold shutdown begins when the soft one that precedes it has had its time.
    eventually(lambda: valkey_server.waiting() >= 3, timeout=2 if stop == signal.SIGTERM else SOFT_TIME + 2)
    worker.process.wait(10)
    assert valkey_server.leased() == 0
    assert [b'"test.trial.limited"' in text for text in valkey_server.places()].count(True) == 3
    assert sum(count for number, count in trial.counts().items() if number != "running") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("pool", "how"), [*((pool, "cold") for pool in SLOTS), ("prefork", "soft")])
def test_a_cold_or_soft_shutdown_gives_back_what_it_cut_short(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, pool: str, how: str
) -> None:
    environment = SOFT if how == "soft" else {}
    worker = crew(valkey_server, f"--pool={pool}", f"--concurrency={SLOTS[pool]}", **environment)
    short = ["short"] if how == "soft" else []
    publish_numbers(valkey_server, "work", short, 1.5)
    running = range(SLOTS[pool] - len(short))
    publish_numbers(valkey_server, "long_at_first", running)
    publish_numbers(valkey_server, "work", range(10, 20))
    trial.wait(SLOTS[pool])
    children = children_of(worker.process.pid)
    worker.process.send_signal(signal.SIGTERM if how == "soft" else signal.SIGQUIT)
    worker.process.wait(15)
    assert set(trial.counts("end")) == set(short)
    unfinished = len(running) + 10
    assert (valkey_server.waiting(), valkey_server.leased()) == (unfinished, 0)
    assert not any(is_running(child) for child in children)
    assert valkey_server.client.hlen("bgjobs:troubles") == 0  # nobody is to blame
    crew(valkey_server, "--pool=solo")
    trial.wait_for([*running, *range(10, 20)])
    assert trial.counts() == {
        **dict.fromkeys(short, 1),
        **dict.fromkeys(running, 2),
        **dict.fromkeys(range(10, 20), 1),
    }
    order = [line["number"] for line in trial.lines()[SLOTS[pool] :]]
    assert set(order[: len(running)]) == set(running)  # they are first in their queue again


@pytest.mark.slow
def test_a_worker_that_ends_leaves_nothing_of_itself(valkey_server: BrokerServer, crew: Crew, trial: Trial) -> None:
    workers = [crew(valkey_server, f"--pool={pool}", wait=False) for pool in SLOTS]
    crew.all_ready()
    publish_numbers(valkey_server, "work", range(20))
    trial.wait(20, "end")
    for worker in workers:
        worker.process.send_signal(signal.SIGTERM)
    assert [worker.process.wait(10) for worker in workers] == [0, 0, 0]
    left = {key.decode() for key in valkey_server.client.keys("bgjobs:*")}
    left -= {key for key in left if "/" in key}  # children's signs of life, which nobody renews any more
    kinds = ("owner:", "owners", "leases:", "calls", "idle:", "scout:", "wake:", "suspects")
    assert [key for key in left if key.removeprefix("bgjobs:").startswith(kinds)] == []
    assert QUEUE not in {key.decode() for key in valkey_server.client.keys("*")}
