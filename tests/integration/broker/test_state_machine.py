"""Whatever owners, servers and networks do, in whatever order: no message is lost, changed, or given to two."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from apps.core.broker import MessageStore

from .broker_servers import HOST, BrokerServer
from .census import PREFIX
from .conftest import Show
from .lossy_connection import LossyConnection
from .mutants import MUTANTS, mutant
from .state_machine import TIMELESS, Messages

EXAMPLES = int(os.environ.get("CHAOS_EXAMPLES", "60"))
STEPS = 60
# Tried in turn, with how many examples: with the first most mutants are caught soon, others with one of the next.
SEEDS = {4: 100, 3: 300, 1: 300}
# Each takes ten seconds or so; `make chaos` tries them all.
SOME_MUTANTS = list(MUTANTS)[:: 1 if os.environ.get("ALL_MUTANTS") else 4]
SYNCED = ("--appendfsync", "always", "--auto-aof-rewrite-min-size", "1mb")


@pytest.fixture(params=["valkey", "redis"])
def synced_server(request: pytest.FixtureRequest) -> Iterator[BrokerServer]:
    """Whatever it has answered is on its disk."""
    made = BrokerServer(request.param, *SYNCED)
    yield made
    made.close()


@pytest.fixture(scope="module")
def mutants_server() -> Iterator[BrokerServer]:
    made = BrokerServer("valkey", *SYNCED)
    yield made
    made.close()


def machine_on(server: BrokerServer) -> type[Messages]:
    pool = redis.ConnectionPool(connection_class=LossyConnection, host=HOST, port=server.port)
    store = MessageStore(redis.Redis(connection_pool=pool), PREFIX)
    return type("MessagesHere", (Messages,), {"server": server, "store": store})


@pytest.mark.slow
@pytest.mark.timeout(600 + EXAMPLES)  # a failure is looked into for 300 s
def test_every_message_is_in_its_one_place_whatever_happens(
    synced_server: BrokerServer, settings: Any, show: Show
) -> None:
    settings.BGJOBS = {**settings.BGJOBS, **TIMELESS}
    machine = machine_on(synced_server)
    run_state_machine_as_test(machine, settings=profile(EXAMPLES, Phase.generate, Phase.shrink))
    show(f"{machine.examples} examples, {machine.steps} steps")


def profile(examples: int, *phases: Phase) -> Any:
    return hypothesis_settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        print_blob=True,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=phases,
    )


def look_for_it(machine: type[Messages]) -> None:
    for one, examples in SEEDS.items():
        run_state_machine_as_test(seed(one)(machine), settings=profile(examples, Phase.generate))


@pytest.mark.slow
@pytest.mark.parametrize("what", SOME_MUTANTS)
def test_a_script_with_one_mistake_is_caught(
    what: str, mutants_server: BrokerServer, tmp_path: Path, settings: Any, show: Show
) -> None:
    settings.BGJOBS = {**settings.BGJOBS, **TIMELESS}
    with mutant(what, tmp_path):
        machine = machine_on(mutants_server)
        machine.kills = False
        with pytest.raises(AssertionError):  # an error in the script itself is no such error
            look_for_it(machine)
    show(f"{machine.examples} examples, {machine.steps} steps")
