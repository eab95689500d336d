"""What lies on the wire: kombu's own format, for stock producers, workers and tools; and the time stamped on it."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import time_machine
from kombu import Connection, Producer

from apps.core.broker import MessageStore
from apps.core.redis_client import connect

from ..workers import Worker, eventually
from . import stock
from .jobs import forget_messages, hold, mark
from .private_server import Monitor, PrivateServer

pytestmark = pytest.mark.slow
Seen = Callable[..., list[dict[str, Any]]]
Start = Callable[..., Worker]
ARGUMENTS = ("--include=tests.integration.broker.jobs", "--queues=high_priority", "--concurrency=1")
QUEUE = "high_priority"
LISTS = {0: QUEUE, 3: f"{QUEUE}\x06\x163", 6: f"{QUEUE}\x06\x166", 9: f"{QUEUE}\x06\x169"}
DELAYED = f"bgjobs:delayed:{QUEUE}"


@pytest.fixture(autouse=True)
def nothing_left(server: redis.Redis) -> Iterator[None]:
    forget_messages(server)
    yield
    forget_messages(server)


@pytest.fixture(scope="module")
def private() -> Iterator[PrivateServer]:
    made = PrivateServer()
    yield made
    made.close()


@pytest.fixture
def store(private: PrivateServer) -> MessageStore:
    private.client.flushall()
    return MessageStore(redis.Redis("127.0.0.1", private.port))


def server_time(server: redis.Redis) -> float:
    seconds, microseconds = server.time()
    return float(seconds) + microseconds / 1e6


def stock_message(**headers: Any) -> str:
    """What a stock producer puts into a list, as far as it matters here."""
    properties = {"delivery_tag": str(uuid.uuid4()), "delivery_info": {"exchange": "", "routing_key": QUEUE}}
    return json.dumps({"body": "", "headers": {"id": "job", "task": "t", **headers}, "properties": properties})


# Stock on one side, ours on the other.


def test_a_stock_producers_jobs_of_every_priority_run_here_in_that_order(
    worker: Start, seen: Seen, server: redis.Redis
) -> None:
    with stock.stock_app(stock.plain(stock.app.conf.broker_url)) as producer:
        for priority in (9, 6, 3, 0):
            producer.send_task("test.broker.mark", args=(priority,), queue=QUEUE, priority=priority)
    assert {priority: server.llen(name) for priority, name in LISTS.items()} == {0: 1, 3: 1, 6: 1, 9: 1}
    before = server_time(server)
    worker(*ARGUMENTS)
    lines = seen(4)
    assert [line["value"] for line in lines] == [0, 3, 6, 9]
    assert all(before <= line["ready_at"] <= server_time(server) for line in lines)


def test_a_plain_kombu_producers_job_runs_here(worker: Start, seen: Seen) -> None:
    worker(*ARGUMENTS)
    job = str(uuid.uuid4())
    with Connection(stock.app.conf.broker_url) as connection:
        body = (["by hand"], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None})
        headers = {"id": job, "task": "test.broker.mark", "lang": "py"}
        Producer(connection).publish(body, routing_key=QUEUE, headers=headers, serializer="json", correlation_id=job)
    (line,) = seen(1)
    assert (line["value"], line["job"]) == ("by hand", job)


@pytest.mark.parametrize("priority", [0, 3, 6, 9])
def test_our_messages_lie_in_kombus_list_and_have_kombus_form(server: redis.Redis, priority: int) -> None:
    mark.apply_async(("ours",), priority=priority)
    ours = json.loads(server.rpop(LISTS[priority]))
    with stock.stock_app(stock.app.conf.broker_url) as producer:
        producer.send_task("test.broker.mark", args=("theirs",), queue=QUEUE, priority=priority)
    theirs = json.loads(server.rpop(LISTS[priority]))
    assert ours.keys() - theirs.keys() == {"ready_at"}
    assert theirs.keys() <= ours.keys()
    assert ours["properties"].keys() == theirs["properties"].keys()
    assert ours["properties"]["delivery_info"] == theirs["properties"]["delivery_info"]


def test_a_stock_worker_runs_what_was_published_here(server: redis.Redis) -> None:
    for priority in (9, 0):
        mark.apply_async((f"priority {priority}",), priority=priority)
    running = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "tests.integration.broker.stock", "worker", "--pool=solo"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "BROKER_URL": stock.app.conf.broker_url, "DJANGO_SETTINGS_MODULE": ""},
    )
    try:
        eventually(lambda: server.llen(stock.SEEN) == 2)
        assert server.lrange(stock.SEEN, 0, -1) == ["priority 0", "priority 9"]
        eventually(lambda: not server.exists("unacked"))
    finally:
        running.terminate()
        running.wait(10)


def test_a_stock_producers_delayed_job_waits_in_the_delayed_set_and_not_in_a_worker(
    worker: Start, seen: Seen, server: redis.Redis
) -> None:
    running = worker(*ARGUMENTS)
    due = datetime.now(UTC) + timedelta(seconds=3)
    with stock.stock_app(stock.app.conf.broker_url) as producer:
        producer.send_task("test.broker.mark", args=("later",), queue=QUEUE, eta=due)
    eventually(lambda: server.zcard(DELAYED) == 1)
    ((_, score),) = server.zrange(DELAYED, 0, -1, withscores=True)
    assert score == pytest.approx(due.timestamp(), abs=0.001)
    mark.delay("meanwhile")
    meanwhile, later = seen(2)
    assert (meanwhile["value"], later["value"]) == ("meanwhile", "later")
    assert later["ready_at"] == pytest.approx(due.timestamp(), abs=0.001)
    assert due.timestamp() <= server_time(server)
    assert running.process.poll() is None


# The stamp.


def test_a_message_is_stamped_by_the_servers_clock_and_not_by_the_producers(server: redis.Redis) -> None:
    before = server_time(server)
    with time_machine.travel(datetime.now(UTC) - timedelta(hours=3)):
        mark.delay()
    stamp = json.loads(server.lindex(QUEUE, 0))["ready_at"]
    assert before <= stamp <= server_time(server)


def test_a_delayed_message_is_stamped_with_the_moment_it_is_due(server: redis.Redis) -> None:
    due = datetime.now(UTC) + timedelta(seconds=60)
    mark.apply_async(eta=due)
    (entry,) = server.zrange(DELAYED, 0, -1)
    assert json.loads(entry.partition("\n")[2])["ready_at"] == pytest.approx(due.timestamp(), abs=0.001)


def test_the_stamp_is_kept_through_delay_and_rescue(worker: Start, seen: Seen, server: redis.Redis) -> None:
    quick = {"TEST_DEAD_AFTER": "1.5", "TEST_HEARTBEAT_EVERY": "0.5"}
    first = worker(*ARGUMENTS, environment=quick)
    due = datetime.now(UTC) + timedelta(seconds=1)
    hold.apply_async(eta=due)
    seen(1)
    first.kill()
    worker(*ARGUMENTS, environment=quick)
    lines = seen(2)
    server.rpush("test:release", "go")
    assert lines[0]["job"] == lines[1]["job"]
    for line in lines:
        assert line["ready_at"] == pytest.approx(due.timestamp(), abs=0.001)


def test_a_message_is_put_back_as_it_was(store: MessageStore, private: PrivateServer) -> None:
    store.publish(QUEUE, QUEUE, stock_message())
    before = private.client.lindex(QUEUE, 0)
    store.pulse(["owner"], queues=[], all_queues=[])
    claimed = store.claim("owner", call=1, most=1, queues=[QUEUE])
    assert claimed is not None
    assert private.client.llen(QUEUE) == 0
    store.put_back("owner", [claimed.entries[0].lease], "0 rejected owner")
    assert private.client.lindex(QUEUE, 0) == before


# How much waits, and for how long.


def test_the_depth_of_a_queue_counts_what_is_ready_delayed_and_leased(store: MessageStore) -> None:
    for list_name in (*LISTS.values(), QUEUE):
        store.publish(QUEUE, list_name, stock_message())
    store.publish(QUEUE, QUEUE, stock_message(), due=time.time() + 60)
    store.pulse(["owner"], queues=[], all_queues=[])
    store.claim("owner", call=1, most=2, queues=[QUEUE])
    depths = store.depths([QUEUE, "email"])
    there, empty = depths[QUEUE], depths["email"]
    assert (there.ready, there.delayed, there.leased) == (3, 1, 2)
    assert (empty.ready, empty.delayed, empty.leased, empty.oldest_age_seconds) == (0, 0, 0, None)
    assert there.pause is empty.pause is None


def test_the_oldest_of_all_priorities_gives_a_queue_its_age(store: MessageStore) -> None:
    for list_name in (LISTS[9], QUEUE):
        store.publish(QUEUE, list_name, stock_message())
        eventually(lambda: (store.depths([QUEUE])[QUEUE].oldest_age_seconds or 0) > 0.2)
    store.pulse(["owner"], queues=[], all_queues=[])
    store.claim("owner", call=1, most=1, queues=[QUEUE])
    assert (store.depths([QUEUE])[QUEUE].oldest_age_seconds or 0) > 0.2
    store.claim("owner", call=2, most=1, queues=[QUEUE])
    assert store.depths([QUEUE])[QUEUE].oldest_age_seconds is None


def test_a_stock_message_counts_from_when_it_was_first_seen(store: MessageStore, private: PrivateServer) -> None:
    private.client.lpush(QUEUE, stock_message())
    assert store.depths([QUEUE])[QUEUE].oldest_age_seconds == 0
    eventually(lambda: (store.depths([QUEUE])[QUEUE].oldest_age_seconds or 0) > 0.1)
    tag = json.loads(private.client.lindex(QUEUE, 0))["properties"]["delivery_tag"]
    assert time.time() - store.first_seen(tag, time.time()) > 0.1
    assert not private.client.exists("bgjobs:seen")


def test_a_stock_messages_wait_that_was_seen_is_the_one_that_its_job_reports(
    worker: Start, seen: Seen, server: redis.Redis
) -> None:
    with stock.stock_app(stock.app.conf.broker_url) as producer:
        producer.send_task("test.broker.mark", queue=QUEUE)
    store = MessageStore(redis.Redis.from_url(stock.app.conf.broker_url))
    at = server_time(server) - (store.depths([QUEUE])[QUEUE].oldest_age_seconds or 0)
    worker(*ARGUMENTS)  # takes about a second
    (line,) = seen(1)
    assert line["ready_at"] == pytest.approx(at, abs=0.5)
    assert line["ready_at"] < server_time(server) - 0.5
    assert not server.exists("bgjobs:seen")


def test_what_cannot_be_read_has_no_age_and_does_no_harm(store: MessageStore, private: PrivateServer) -> None:
    private.client.lpush(QUEUE, "{garbage", "[]", '{"properties": 5}')
    for left in (3, 2, 1):
        depth = store.depths([QUEUE])[QUEUE]
        assert (depth.ready, depth.oldest_age_seconds) == (left, None)
        private.client.rpop(QUEUE)


def test_a_pause_is_shown_with_its_end_and_its_reason(store: MessageStore) -> None:
    end = store.pause(QUEUE, seconds=60, why="ann: the mail server moves")
    store.pause("email", seconds=0, why="bob: until Monday\nor so")
    depths = store.depths([QUEUE, "email"])
    there, other = depths[QUEUE].pause, depths["email"].pause
    assert there is not None
    assert other is not None
    assert (there.until, there.why) == (end, "ann: the mail server moves")
    assert (other.until, other.why) == (None, "bob: until Monday\nor so")
    store.pause(QUEUE, seconds=0.001, why="short")
    assert eventually(lambda: store.depths([QUEUE])[QUEUE].pause is None)


def test_reading_the_depth_takes_the_same_commands_however_much_waits(
    store: MessageStore, private: PrivateServer
) -> None:
    def commands() -> tuple[int, dict[str, int]]:
        private.client.config_resetstat()
        monitor = Monitor(private.client)
        store.depths([QUEUE, "email"])
        sent = monitor.until_mark("read")
        monitor.close()
        calls = private.client.info("commandstats")
        inside = ("llen", "lindex", "hget", "hvals", "zcard", "smembers", "lrange", "time")
        return len(sent), {name: calls.get(f"cmdstat_{name}", {}).get("calls", 0) for name in inside}

    for list_name in LISTS.values():
        store.publish(QUEUE, list_name, stock_message())
    store.depths([QUEUE])  # the script is there from now on
    few = commands()
    for number in range(5000):
        store.publish(QUEUE, LISTS[number % 4 and 3], stock_message())
    many = commands()
    assert store.depths([QUEUE])[QUEUE].ready == 5004
    assert few == many
    assert few[0] == 1
    assert few[1]["lindex"] == 4
    assert few[1]["lrange"] == 0


def test_a_client_of_the_projects_own_reads_the_same(store: MessageStore, private: PrivateServer) -> None:
    """The page and the commands have text clients; scripts answer with bytes whatever the client decodes."""
    store.publish(QUEUE, QUEUE, stock_message())
    other = MessageStore(connect(private.url))
    assert other.depths([QUEUE])[QUEUE].ready == 1
