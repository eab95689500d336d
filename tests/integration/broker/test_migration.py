"""`manage.py jobs migrate`: from Celery's own Redis transport to this one and back, with real messages of both."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from celery import current_app
from django.core.management import CommandError, call_command
from kombu import Connection, Exchange, Queue

from apps.core.broker import stock as engine_stock
from apps.core.models import OperatorAction

from ..workers import eventually
from . import stock
from .broker_servers import BrokerServer
from .conftest import Crew
from .trial import QUEUE, Trial, publish

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# A stock consumer that claims so many messages and never acknowledges them.
CLAIM = """
import sys, time
from kombu import Connection, Exchange, Queue
url, count, exchange, key = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
with Connection(url) as connection:
    held = []
    queue = Queue("high_priority", Exchange(exchange), routing_key=key)
    with connection.Consumer(queue, callbacks=[lambda body, message: held.append(message)]) as consumer:
        consumer.qos(prefetch_count=count)
        while len(held) < count:
            connection.drain_events(timeout=10)
        print("held", flush=True)
        time.sleep(100)
"""


def migrate(*arguments: str) -> str:
    out = StringIO()
    call_command("jobs", "migrate", *arguments, "--reason", "the transport changes", stdout=out)
    return out.getvalue().strip()


@pytest.fixture
def broker(valkey_server: BrokerServer, monkeypatch: pytest.MonkeyPatch) -> BrokerServer:
    """The broker that the settings name, with nothing on it."""
    monkeypatch.setitem(current_app.conf, "broker_url", valkey_server.url)
    return valkey_server


@pytest.fixture
def stock_worker(broker: BrokerServer) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts a Celery worker on the stock transport, and waits until it can be talked to."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = (sys.executable, "-m", "celery", "-A", "tests.integration.broker.stock", "worker", "--pool=solo")
        made = subprocess.Popen(
            [*command, "--hostname=old@test", "--without-mingle"],
            env={**os.environ, "BROKER_URL": stock.plain(broker.url), "DJANGO_SETTINGS_MODULE": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(made)
        eventually(lambda: "old@test" in answering(broker))
        return made

    yield start
    for one in started:
        with suppress(ProcessLookupError):
            one.send_signal(signal.SIGCONT)
        one.kill()
        one.wait()


def answering(broker: BrokerServer) -> dict[str, Any]:
    with stock.stock_app(broker.url) as app:
        return app.control.inspect(timeout=0.5).ping() or {}


def send(broker: BrokerServer, task: str, *args: Any, **options: Any) -> None:
    with stock.stock_app(broker.url) as app:
        app.send_task(task, args=args, queue=QUEUE, **options)


def claim_and_die(broker: BrokerServer, count: int, exchange: str = "", key: str = QUEUE) -> None:
    """A stock consumer claims and is killed."""
    consumer = subprocess.Popen(
        [sys.executable, "-c", CLAIM, stock.plain(broker.url), str(count), exchange, key], stdout=subprocess.PIPE
    )
    assert consumer.stdout
    assert consumer.stdout.readline() == b"held\n"
    consumer.kill()
    consumer.wait()
    consumer.stdout.close()
    assert broker.client.hlen("unacked") == count


def bodies(texts: list[bytes]) -> list[str]:
    return [json.loads(text)["body"] for text in texts]


# From stock.


def test_what_a_killed_stock_worker_held_runs_here_once_and_in_time(
    broker: BrokerServer, crew: Crew, trial: Trial
) -> None:
    due = datetime.now(UTC) + timedelta(seconds=6)
    for number in range(4):
        send(broker, "test.trial.work", number)
    send(broker, "test.trial.work", 4, eta=due)
    send(broker, "test.trial.work", 5, priority=9)
    claim_and_die(broker, 6)
    for number in (6, 7):
        send(broker, "test.trial.work", number)
    assert migrate("--from-stock") == "6 messages were adopted from stock workers."
    assert not broker.client.exists("unacked")
    assert not broker.client.exists("unacked_index")
    crew(broker, "--pool=solo")
    trial.wait_for(range(8))
    eventually(broker.settled)
    assert trial.counts("end") == dict.fromkeys(range(8), 1)
    starts = {line["number"]: line["at"] for line in trial.lines("start")}
    assert [number for number in sorted(starts, key=starts.__getitem__) if number not in (4, 5)] == [0, 1, 2, 3, 6, 7]
    assert 0 <= starts[4] - due.timestamp() < 1
    row = OperatorAction.objects.get()
    assert (row.action, row.affected, row.result) == ("move-from-stock", 6, "done")


def test_every_priority_goes_back_to_its_own_list_as_it_was(broker: BrokerServer) -> None:
    names = [QUEUE, f"{QUEUE}\x06\x163", f"{QUEUE}\x06\x166", f"{QUEUE}\x06\x169"]
    for priority in (0, 2, 3, 5, 6, 8, 9):
        send(broker, "test.trial.work", priority, priority=priority)
    before = {name: bodies(broker.client.lrange(name, 0, -1)) for name in names}
    claim_and_die(broker, 7)
    assert broker.waiting() == 0
    migrate("--from-stock")
    assert {name: bodies(broker.client.lrange(name, 0, -1)) for name in names} == before


def test_a_named_exchange_leads_to_the_queue_that_is_bound_to_it(broker: BrokerServer) -> None:
    with Connection(stock.plain(broker.url)) as connection:
        queue = Queue(QUEUE, Exchange("work"), routing_key="fast")
        with connection.Producer() as producer:
            producer.publish({"n": 1}, exchange=queue.exchange, routing_key="fast", declare=[queue])
    claim_and_die(broker, 1, exchange="work", key="fast")
    assert migrate("--from-stock").startswith("1 messages")
    assert broker.client.llen(QUEUE) == 1


def test_what_cannot_be_adopted_stays_and_is_counted(broker: BrokerServer) -> None:
    send(broker, "test.trial.work", 1)
    claim_and_die(broker, 1)
    (value,) = broker.client.hvals("unacked")
    message, _, _ = json.loads(value)
    broker.client.hset("unacked", mapping={"a": json.dumps([message, "", "other"]), "b": "no JSON", "c": "[1, 2, 3]"})
    with pytest.raises(CommandError, match="1 of the unknown queue 'other'") as refused:
        migrate("--from-stock")
    assert "2 unreadable" in str(refused.value)
    assert broker.client.hlen("unacked") == 3
    assert broker.client.llen(QUEUE) == 1
    assert OperatorAction.objects.get().affected == 1


def test_a_stock_worker_that_runs_stops_it_unless_forced(
    broker: BrokerServer, stock_worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    running = stock_worker()
    send(broker, "test.broker.mark", "later", countdown=600)
    eventually(lambda: broker.client.hlen("unacked") == 1)
    with pytest.raises(CommandError, match=r"run on the stock transport: old@test\. Stop them first"):
        migrate("--from-stock")
    running.send_signal(signal.SIGSTOP)
    with pytest.raises(CommandError, match="1 workers are connected and do not say which transport"):
        migrate("--from-stock")
    assert broker.client.hlen("unacked") == 1
    assert [row.result for row in OperatorAction.objects.all()] == ["failed", "failed"]
    assert migrate("--from-stock", "--force").startswith("1 messages")
    assert OperatorAction.objects.first().target == "all queues, by force"  # type: ignore[union-attr]


def test_a_worker_of_this_transport_does_not_hinder_it(broker: BrokerServer, crew: Crew, trial: Trial) -> None:
    send(broker, "test.trial.work", 1)
    claim_and_die(broker, 1)
    crew(broker, "--concurrency=1")
    assert migrate("--from-stock").startswith("1 messages")
    trial.wait_for([1])


# And back.


def test_everything_runs_once_on_a_stock_worker_after_the_way_back(
    broker: BrokerServer, stock_worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    due = time.time() + 5
    names = [publish_mark(broker, number) for number in range(3)]
    names.append(publish_mark(broker, 3, eta=due))
    assert (broker.waiting(), broker.delayed()) == (3, 1)
    assert migrate("--to-stock") == "1 messages were moved into their lists before their time."
    assert (broker.waiting(), broker.delayed()) == (4, 0)
    stock_worker()
    eventually(lambda: broker.client.llen(stock.SEEN) == 3)
    assert broker.client.hlen("unacked") == 1  # it waits in the worker's memory
    eventually(lambda: broker.client.llen(stock.SEEN) == 4)
    assert time.time() >= due
    assert sorted(broker.client.lrange(stock.SEEN, 0, -1)) == sorted(name.encode() for name in names)
    eventually(lambda: not broker.client.exists("unacked"))


def test_what_a_killed_worker_of_ours_held_goes_back_first(broker: BrokerServer, crew: Crew, trial: Trial) -> None:
    for number in range(3):
        publish(broker, "work", number, 60)
    worker = crew(broker, "--concurrency=2")
    trial.wait(2)
    with pytest.raises(CommandError, match="These workers still run"):
        migrate("--to-stock")
    with pytest.raises(CommandError, match="2 messages are in the hands of workers"):
        migrate("--to-stock", "--force")
    worker.kill()
    eventually(lambda: not broker.store.fleet([QUEUE]).alive())
    assert migrate("--to-stock").startswith("0 messages")
    assert (broker.waiting(), broker.leased()) == (3, 0)
    assert not broker.client.exists("bgjobs:owners")


def test_a_paused_queue_is_not_handed_over(broker: BrokerServer) -> None:
    publish(broker, "work", 1, eta=time.time() + 60)
    broker.store.pause(QUEUE, seconds=0, why="ann: later")
    with pytest.raises(CommandError, match=f"would ignore: {QUEUE}. Resume them first"):
        migrate("--to-stock")
    assert broker.delayed() == 1


def test_thousands_of_delayed_messages_are_all_handed_over(broker: BrokerServer) -> None:
    count = 2 * engine_stock.PORTION + 7
    for number in range(count):
        publish(broker, "work", number, eta=time.time() + 600)
    assert migrate("--to-stock").startswith(f"{count} messages")
    assert (broker.waiting(), broker.delayed()) == (count, 0)


def test_there_and_back_again_loses_nothing_and_adds_nothing(broker: BrokerServer) -> None:
    for number in range(5):
        send(broker, "test.trial.work", number)
    before = bodies(broker.client.lrange(QUEUE, 0, -1))
    for _ in range(2):
        claim_and_die(broker, 3)
        migrate("--from-stock")
        migrate("--to-stock")
        assert bodies(broker.client.lrange(QUEUE, 0, -1)) == before


def publish_mark(broker: BrokerServer, number: int, eta: float | None = None) -> str:
    """A job that the stock worker knows, enqueued by this project."""
    name = f"job {number}"
    moment = None if eta is None else datetime.fromtimestamp(eta, UTC)
    current_app.send_task(
        "test.broker.mark", args=(name,), queue=QUEUE, eta=moment, connection=Connection(broker.url)
    )
    return name
