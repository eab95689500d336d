"""Looking at real servers: what is seen of them, what it costs, and what is left when one is down."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.health.facts import facts
from apps.core.health.impatience import cut_off_after, insist_on_an_answer
from apps.core.health.snapshot import Snapshot, take
from apps.core.health.verdict import verdict
from apps.core.metrics.events import field
from apps.core.metrics.windows import Window
from apps.core.models import DeadLetter, Firing, OutboxMessage, ScheduleState
from apps.core.owners import owner_id
from apps.core.schedules.sign_of_life import KEY, KNOWN_KEY, SignOfLife

from ..broker.broker_servers import BrokerServer
from ..broker.conftest import Crew
from ..broker.private_server import free_port
from ..broker.trial import QUEUE, Trial, publish_numbers
from ..dead_letters.letters import made
from ..workers import eventually

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
NOBODY = "127.0.0.1"


def codes(snapshot: Snapshot) -> list[str]:
    return [one.code for one in verdict(snapshot).problems]


def count(broker: BrokerServer, unit: str, size: int, counts: dict[str, int], back: int = 0) -> None:
    """Writes what the engine would have counted, `back` minutes, hours or days ago."""
    broker.client.hset(f"bgjobs:counts:{unit}:{int(time.time()) // size - back}", mapping=counts)


# what is seen


def test_what_was_counted_is_seen_of_each_queue_and_task(broker: BrokerServer) -> None:
    counts = {
        field("published", "critical", "-", "close"): 10,
        field("started", "critical", "-", "close"): 80,
        field("wait_le", "critical", "5", "close"): 60,
        field("wait_le", "critical", "7", "close"): 20,
        field("succeeded", "critical", "-", "close"): 7,
        field("failed", "critical", "permanent", "close"): 1,
    }
    for unit, size in (("m", 60), ("h", 3600), ("d", 86400)):
        count(broker, unit, size, counts)
    found = take()
    numbers = found.queues[0].numbers
    assert numbers is not None
    assert numbers.attainment == dict.fromkeys((Window.M5, Window.H1, Window.H24, Window.D30), 0.75)
    assert numbers.error_budget == -1.0
    assert [(one.name, one.started, one.success_rate) for one in found.tasks or ()] == [("close", 80, 7 / 8)]
    assert (numbers.minutes[-1].published, numbers.minutes[-1].failed) == (10, 1)
    assert codes(found) == ["sla_burns_fast"]


def test_a_real_worker_is_seen_with_what_it_runs(broker: BrokerServer, crew: Crew, trial: Trial) -> None:
    crew(broker, "--concurrency=2")
    publish_numbers(broker, "work", range(2), 30)
    trial.wait(2)
    broker.store.fuse("test.trial.other", seconds=60, why="ann: it loops")

    eventually(lambda: all(one.card and one.card.busy == 2 for one in take().workers or ()))
    found = take()
    (worker,) = found.workers or ()
    assert worker.card is not None
    assert (worker.serves(QUEUE), worker.serves("critical"), worker.card.slots) == (True, False, 2)
    assert {job.task for job in worker.card.jobs} == {"test.trial.work"}
    assert found.tasks is not None
    assert [(one.name, one.started) for one in found.tasks] == [("test.trial.work", 2)]
    assert [(one.task, one.why) for one in found.fuses or ()] == [("test.trial.other", "ann: it loops")]
    assert codes(found) == ["task_fused"]
    told = facts(found, verdict(found))["workers"]
    assert (told["online"], told["processes_busy"], told["processes_total"]) == (1, 2, 2)


def test_small_charts_have_the_last_hour_and_survive_a_loss_of_data(broker: BrokerServer) -> None:
    def seen() -> list[int]:
        numbers = take().queues[0].numbers
        assert numbers is not None
        return [one.started for one in numbers.minutes]

    for back in (5, 59):
        count(broker, "m", 60, {field("started", "critical", "-", "a"): back}, back)
    for _ in range(2):  # from the server, and from memory
        assert (len(seen()), sum(seen())) == (60, 64)
    broker.client.flushall()
    assert sum(seen()) == 0


def test_a_beat_gives_a_sign_of_life_that_ends_with_it(broker: BrokerServer) -> None:
    assert take().beats == ()
    life = SignOfLife(current_app.conf)
    life.give()
    broker.client.sadd(KNOWN_KEY, "host:1:gone")
    assert take().beats == (owner_id(),)
    assert broker.client.smembers(KNOWN_KEY) == {owner_id().encode()}
    assert 3 <= broker.client.ttl(KEY + owner_id()) <= 5
    before = broker.commands()
    life.give()  # not again within the second
    assert broker.commands() - before <= 1


def test_a_beat_whose_broker_is_down_is_not_held_up_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.conf, "broker_url", f"leased://{NOBODY}:{free_port()}/0")
    life = SignOfLife(current_app.conf)
    began = time.monotonic()
    for _ in range(100):
        life.give()
    assert time.monotonic() - began < 2


def test_what_was_given_up_is_told_by_trouble_and_what_is_new(broker: BrokerServer) -> None:
    now = timezone.now()
    letters = [
        made("test.mail", fingerprint="a" * 16, last_at=now - timedelta(minutes=number)) for number in range(12)
    ]
    letters += [made("test.old", fingerprint="b" * 16, last_at=now - timedelta(days=number)) for number in (0, 3)]
    letters[-1].state = DeadLetter.State.DISCARDED
    DeadLetter.objects.bulk_create(letters)
    found = take().given_up
    assert found is not None
    assert (found.count, found.fingerprints, found.last_hour, found.hour_before) == (13, 2, 13, 0)
    assert {one.task: (one.count, one.is_new) for one in found.latest} == {
        "test.mail": (12, True),
        "test.old": (1, False),
    }
    assert codes(take()) == ["dead_letters_growing", "failure_new", "dead_letters_open"]


def test_the_timetable_is_told_entry_by_entry(broker: BrokerServer) -> None:
    now = timezone.now().replace(microsecond=0)
    name = next(iter(current_app.conf.beat_schedule))
    state = ScheduleState.objects.create(name=name, spec="x", since=now - timedelta(days=1), settled=now)
    for minutes, outcome in ((30, "running"), (60, "failed"), (90, "succeeded")):
        due = now - timedelta(minutes=minutes)
        Firing.objects.create(
            entry=name, due=due, outcome=outcome, enqueued_at=due, started_at=due, ended_at=due, job=str(minutes)
        )
    seen = take(now=now).timetable
    assert seen is not None
    entry = next(one for one in seen.entries if one.name == name)
    assert (entry.last_due, entry.last_outcome) == (now - timedelta(minutes=30), "running")
    assert entry.last_success == now - timedelta(minutes=90)
    assert entry.next_due > now
    assert seen.last_firing == now - timedelta(minutes=30)
    state.paused_at, state.paused_by, state.paused_why = now - timedelta(minutes=1), "ann", "the site moves"
    state.paused_until = now + timedelta(minutes=1)
    state.save()
    assert facts(found := take(now=now), verdict(found))["schedules"]["paused"] == 1
    assert "entry_paused" in codes(found)
    assert "entry_paused" not in codes(take(now=now + timedelta(minutes=2)))


def test_postgresql_tells_of_itself(broker: BrokerServer) -> None:
    found = take().database
    assert found is not None
    assert int(found.version.split(".")[0]) >= 15
    assert 0 < found.connections_used <= found.connections_max
    assert found.size_bytes > 1_000_000


# what it costs


def test_a_look_costs_the_same_however_many_jobs_wait(broker: BrokerServer) -> None:
    def cost() -> tuple[int, int]:
        before = broker.commands()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            take()
        return broker.commands() - before, len(queries)

    take()  # loads the scripts
    empty = cost()
    push = broker.client.register_script(
        "local t = {} for i = 1, 5000 do t[i] = ARGV[1] end redis.call('LPUSH', KEYS[1], unpack(t))"
    )
    text = json.dumps({"body": "", "headers": {}, "ready_at": time.time()})
    for number in range(20):
        push(keys=["email", "critical"][number % 2 : number % 2 + 1], args=[text])
    OutboxMessage.objects.bulk_create(
        OutboxMessage(job=str(n), task="t", queue="email", list="email", message="", tag=str(n), due=0, durable=False)
        for n in range(500)
    )
    commands, queries = cost()
    assert (take().queues[2].status.ready, queries) == (50_000, empty[1])
    assert commands <= empty[0] + 2 * len(take().queues)


# what is left when a server is down


def test_without_the_broker_the_database_is_still_told(broker: BrokerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.conf, "broker_url", f"leased://{NOBODY}:{free_port()}/0")
    found = take()
    assert codes(found) == ["server_unreachable"]
    assert found.database is not None
    assert found.workers is None
    assert list(found.unknown) == ["broker"]


@pytest.fixture
def silent_broker(broker: BrokerServer) -> Iterator[BrokerServer]:
    """One that takes connections and says nothing."""
    process = broker._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    yield broker
    process.send_signal(signal.SIGCONT)


def test_a_broker_that_does_not_answer_is_not_waited_for(silent_broker: BrokerServer) -> None:
    began = time.monotonic()
    assert codes(take()) == ["server_unreachable"]
    assert time.monotonic() - began < 1.5


def test_the_servers_own_refusal_is_told_beside_all_that_is_known(broker: BrokerServer) -> None:
    broker.client.config_set("maxmemory", 1)
    found = take()
    assert codes(found)[:1] == ["server_refuses_writes"]
    assert found.queues[0].status.ready == 0


def test_the_server_of_breakers_may_be_another_one(broker: BrokerServer, settings: Any) -> None:
    settings.BGJOBS = settings.BGJOBS | {"store_url": f"redis://{NOBODY}:{free_port()}/0"}
    found = take()
    assert found.breakers is None
    assert codes(found) == ["store_unreachable"]
    assert found.broker.unreachable == ""


@pytest.mark.parametrize("broker_is_up", [True, False])
def test_without_the_database_the_broker_is_still_told(broker: BrokerServer, broker_is_up: bool) -> None:
    """By a process of its own, which finds nobody at the database's address."""
    nobody = free_port()
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://me:secret-7f3a@{NOBODY}:{nobody}/jobs",
        "BROKER_URL": broker.url if broker_is_up else f"leased://{NOBODY}:{nobody}/0",
    }
    command = [sys.executable, "manage.py", "jobs", "status", "--format=json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    found = json.loads(done.stdout)
    expected = ["database_unreachable"] if broker_is_up else ["server_unreachable", "database_unreachable"]
    assert [problem["code"] for problem in found["problems"]] == expected
    assert done.returncode == (0 if broker_is_up else 1)
    assert found["queues"][0]["ready"] == (0 if broker_is_up else None)
    assert found["outbox"] == dict.fromkeys(("pending", "oldest_age_seconds", "durable"))
    assert found["database"]["reachable"] is False
    assert "secret-7f3a" not in done.stdout + done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_brings_nothing_any_more_is_cut_off() -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SET statement_timeout = 500")  # the server notices nothing before
            with pytest.raises(OperationalError) as caught, cut_off_after(other, 0.1):
                cursor.execute("SELECT pg_sleep(20)")
    finally:
        other.close()
    assert "statement timeout" not in str(caught.value)


def test_a_database_that_takes_connections_and_says_nothing_is_not_waited_for() -> None:
    silent = connection.copy()
    with socket.create_server((NOBODY, 0)) as listener:
        silent.settings_dict = silent.settings_dict | {"HOST": NOBODY, "PORT": listener.getsockname()[1]}
        with pytest.raises(OperationalError, match="nobody answers"):
            insist_on_an_answer(silent, 0.2)


def test_a_database_that_is_there_answers() -> None:
    insist_on_an_answer(connection.copy(), 5)


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_locked_is_not_known_and_the_others_are(broker: BrokerServer) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {OutboxMessage._meta.db_table} IN ACCESS EXCLUSIVE MODE")
            found = take()
    finally:
        other.close()
    assert found.outbox is None
    assert list(found.unknown) == ["outbox"]
    assert found.given_up is not None
    assert verdict(found).sentence.endswith("Not known: outbox.")
