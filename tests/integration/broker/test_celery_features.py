"""Celery's features on the broker, each seen at work; and the project on Celery's own Redis transport."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from celery import chain, chord, group
from celery.exceptions import TaskRevokedError
from kombu import Connection, Consumer, Exchange, Producer, Queue

from intelliwiz_config.celery import app

from ..workers import SEEN, Worker, eventually
from .jobs import add, again, forget_messages, hold, hold_early, limited, mark

pytestmark = pytest.mark.slow
Seen = Callable[..., list[dict[str, Any]]]
Start = Callable[..., Worker]
QUEUE = "high_priority"
DELAYED = f"bgjobs:delayed:{QUEUE}"
ONE = "one@test"
COMMON = ("--include=tests.integration.broker.jobs", f"--queues={QUEUE}")


@pytest.fixture(autouse=True)
def nothing_left(server: redis.Redis) -> Iterator[None]:
    forget_messages(server)
    yield
    forget_messages(server)


class Crew:
    """The worker that most tests share; one that ends or kills it gets the next test a new one."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def at_work(self) -> Worker:
        if self._worker is None or self._worker.process.poll() is not None:
            self._worker = Worker(*COMMON, f"--hostname={ONE}", "--concurrency=2", "-E")
            made = self._worker
            eventually(lambda: any(" ready." in line for line in made.lines) or made.process.poll() is not None)
            eventually(lambda: app.control.ping([ONE], timeout=0.3))
        return self._worker

    def dismiss(self) -> None:
        if self._worker is not None:
            self._worker.stop()


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    made = Crew()
    yield made
    made.dismiss()


@pytest.fixture
def shared(crew: Crew, nothing_left: None) -> Worker:
    return crew.at_work()


def told(reply: dict[str, Any] | None) -> Any:
    """What the shared worker answered to an inspection."""
    return (reply or {})[ONE]


def inspect() -> Any:
    return app.control.inspect([ONE], timeout=1.0)


# Canvas.


def test_a_chain_passes_results_on(shared: Worker) -> None:
    assert chain(add.s(1, 2), add.s(3), add.s(4)).delay().get(timeout=20) == 10


def test_a_group_gathers_results(shared: Worker) -> None:
    assert group(add.s(n, n) for n in range(20)).delay().get(timeout=20) == [2 * n for n in range(20)]


def test_a_chord_runs_its_body_once_after_its_header(shared: Worker, seen: Seen) -> None:
    assert chord([add.s(n, 1) for n in range(10)])(chain(add.s(), mark.s())).get(timeout=20) == 55
    assert [line["value"] for line in seen(1)] == [55]


# Time.


@pytest.mark.parametrize("how", ["countdown", "eta"])
def test_a_job_for_later_waits_on_the_server_and_runs_in_time(
    shared: Worker, server: redis.Redis, seen: Seen, how: str
) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1.5)
    mark.apply_async(("later",), **({"countdown": 1.5} if how == "countdown" else {"eta": due}))
    assert server.zcard(DELAYED) == 1
    assert not inspect().scheduled()[ONE]
    (line,) = seen(1)
    assert time.time() >= due.timestamp()
    assert line["ready_at"] == pytest.approx(due.timestamp(), abs=0.2)


def test_an_expired_job_does_not_run(shared: Worker, server: redis.Redis, seen: Seen) -> None:
    late = mark.apply_async(("late",), expires=datetime.now(UTC) - timedelta(seconds=1))
    with pytest.raises(TaskRevokedError, match="expired"):
        late.get(timeout=20)
    mark.delay("in time").get(timeout=20)
    assert [line["value"] for line in seen(1)] == ["in time"]


def test_a_job_that_retries_waits_on_the_server_between_its_attempts(
    shared: Worker, server: redis.Redis, seen: Seen
) -> None:
    result = again.delay(2)
    eventually(lambda: server.zcard(DELAYED) == 1)
    assert result.get(timeout=20) == 2
    assert [line["attempt"] for line in seen(3)] == [0, 1, 2]


# Revoke.


def test_a_running_job_that_is_revoked_with_terminate_ends_and_does_not_come_back(
    shared: Worker, server: redis.Redis, seen: Seen
) -> None:
    result = hold.delay("running")
    seen(1)
    result.revoke(terminate=True)
    with pytest.raises(TaskRevokedError, match="terminated"):
        result.get(timeout=20)
    mark.delay("after").get(timeout=20)
    eventually(lambda: not server.keys("bgjobs:leases:*"))
    assert [line["value"] for line in seen(2)] == ["running", "after"]
    assert result.state == "REVOKED"


def test_waiting_and_delayed_jobs_that_are_revoked_never_run_also_after_all_workers_were_restarted(
    worker: Start, crew: Crew, server: redis.Redis, seen: Seen
) -> None:
    crew.dismiss()
    waiting, delayed = mark.delay("waiting"), mark.apply_async(("delayed",), countdown=1)
    app.control.revoke([waiting.id, delayed.id])  # no worker is there to hear it
    first = worker(*COMMON, "--concurrency=1")
    eventually(lambda: waiting.state == "REVOKED")
    first.stop()
    worker(*COMMON, "--concurrency=1")
    eventually(lambda: delayed.state == "REVOKED")
    mark.delay("another").get(timeout=20)
    assert [line["value"] for line in seen(1)] == ["another"]
    assert server.llen(QUEUE) == server.zcard(DELAYED) == 0


# Limits and remote control.


def test_a_rate_limit_holds(shared: Worker, seen: Seen) -> None:
    began = time.monotonic()
    for number in range(4):
        limited.delay(number)
    seen(4)
    assert time.monotonic() - began >= 1.0  # the third and fourth wait half a second each, at least


def test_inspection_tells_what_runs_what_waits_and_what_there_is(
    shared: Worker, server: redis.Redis, seen: Seen
) -> None:
    held = [hold.delay(number) for number in range(3)]
    seen(2)
    assert app.control.ping([ONE], timeout=1) == [{ONE: {"ok": "pong"}}]
    assert {job["id"] for job in told(inspect().active())} == {held[0].id, held[1].id}
    assert told(inspect().reserved()) == []  # no more than there are slots is claimed
    assert told(inspect().scheduled()) == []
    stats = told(inspect().stats())
    assert stats["pool"]["max-concurrency"] == 2
    assert stats["broker"]["transport"] == "leased"
    assert "test.broker.hold" in told(inspect().registered())
    assert [queue["name"] for queue in told(inspect().active_queues())] == [QUEUE]
    server.rpush("test:release", 1, 2, 3)
    assert [one.get(timeout=20) for one in held] == [0, 1, 2]
    assert told(inspect().stats())["total"]["test.broker.hold"] >= 3


def test_a_worker_takes_up_a_queue_and_lets_it_go(shared: Worker, server: redis.Redis, seen: Seen) -> None:
    job = mark.apply_async(("mail",), queue="email")
    assert app.control.add_consumer("email", destination=[ONE], reply=True, timeout=2)
    assert job.get(timeout=20) == "mail"
    assert app.control.cancel_consumer("email", destination=[ONE], reply=True, timeout=2)
    mark.apply_async(("left",), queue="email")
    mark.delay("taken").get(timeout=20)
    assert server.llen("email") == 1
    assert not server.sismember("bgjobs:idle:email", server.smembers("bgjobs:owners").pop())


def test_a_pool_grows_and_takes_more_at_once(shared: Worker, server: redis.Redis, seen: Seen) -> None:
    app.control.pool_grow(2, destination=[ONE], reply=True, timeout=2)
    held = [hold.delay(number) for number in range(4)]
    seen(4)
    server.rpush("test:release", *range(4))
    assert sorted(one.get(timeout=20) for one in held) == [0, 1, 2, 3]
    app.control.pool_shrink(2, destination=[ONE], reply=True, timeout=2)


def test_a_receiver_sees_the_events_of_a_job_and_of_its_worker(shared: Worker) -> None:
    types: set[str] = set()
    wanted = {"task-received", "task-started", "task-succeeded", "worker-heartbeat"}
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": lambda event: types.add(event["type"])})
        listening = threading.Thread(target=receiver.capture, kwargs={"limit": None, "timeout": None})
        listening.start()
        eventually(lambda: "worker-heartbeat" in types)
        mark.delay("watched")
        eventually(lambda: wanted <= types)
        receiver.should_stop = True
        listening.join(10)
        assert not listening.is_alive()


def test_a_worker_that_is_told_to_shut_down_ends_and_leaves_nothing_behind(
    worker: Start, server: redis.Redis, crew: Crew
) -> None:
    crew.dismiss()
    running = worker(*COMMON, "--hostname=told@test", "--concurrency=1")
    eventually(lambda: app.control.ping(destination=["told@test"]))  # who listens too late hears nothing
    app.control.shutdown(destination=["told@test"])
    assert running.process.wait(15) == 0
    assert not server.keys("bgjobs:leases:*")
    assert not server.keys("bgjobs:owner:*told*")


def test_a_soft_shutdown_lets_a_job_end_and_gives_back_one_that_does_not(
    worker: Start, server: redis.Redis, seen: Seen, crew: Crew
) -> None:
    crew.dismiss()
    running = worker(*COMMON, "--concurrency=2")
    short, long = hold.delay("short"), hold.delay("long")
    seen(2)
    running.process.send_signal(signal.SIGQUIT)  # worker_soft_shutdown_timeout is 3 s
    eventually(lambda: any("soft shutdown" in line.lower() for line in running.lines))
    server.rpush("test:release", "one")
    running.process.wait(20)
    assert server.llen(QUEUE) == 1
    ended = [one for one in (short, long) if one.state == "SUCCESS"]
    assert len(ended) == 1
    server.rpush("test:release", "the other")
    worker(*COMMON, "--concurrency=1")
    assert {short.get(timeout=20), long.get(timeout=20)} == {"short", "long"}
    assert len(seen(3)) == 3


def test_a_job_that_acknowledges_early_is_not_run_again_after_kill_9(
    worker: Start, server: redis.Redis, seen: Seen, crew: Crew
) -> None:
    crew.dismiss()
    running = worker(*COMMON, "--concurrency=1")
    hold_early.delay("at most once")
    seen(1)
    eventually(lambda: not server.keys("bgjobs:leases:*"))
    running.kill()
    assert server.llen(QUEUE) == 0
    worker(*COMMON, "--concurrency=1")
    mark.delay("next").get(timeout=20)
    assert [line["value"] for line in seen(2)] == ["at most once", "next"]


def test_urgent_jobs_of_a_queue_come_first(worker: Start, crew: Crew, seen: Seen) -> None:
    crew.dismiss()
    for priority in (9, 6, 3, 0, 9, 0):
        mark.apply_async((priority,), priority=priority)
    worker(*COMMON, "--concurrency=1")
    assert [line["value"] for line in seen(6)] == [0, 0, 3, 6, 9, 9]


# Without a worker.


def test_purged_messages_are_kept_for_a_day(server: redis.Redis, crew: Crew) -> None:
    crew.dismiss()
    for priority in (0, 9):
        mark.apply_async((priority,), priority=priority)
    kept = server.lindex(QUEUE, 0)
    with app.connection_for_write() as connection:
        assert connection.default_channel.queue_purge(QUEUE) == 2
    assert server.llen(QUEUE) == 0
    aside = sorted(server.scan_iter(f"bgjobs:purged:{QUEUE}:*"), key=len)
    assert [server.llen(name) for name in aside] == [1, 1]
    assert all(23 * 3600 < server.ttl(name) <= 24 * 3600 for name in aside)
    assert server.lindex(aside[0], 0) == kept
    server.delete(*aside)


def test_celerys_own_purge_reaches_the_queues(server: redis.Redis, crew: Crew) -> None:
    crew.dismiss()
    mark.delay()
    assert app.control.purge() == 1
    aside = list(server.scan_iter(f"bgjobs:purged:{QUEUE}:*"))
    assert len(aside) == 1
    server.delete(*aside)


def test_plain_kombu_gets_acknowledges_and_requeues_one_message(server: redis.Redis, crew: Crew) -> None:
    crew.dismiss()
    with Connection(os.environ["BROKER_URL"]) as connection:
        queue = Queue(QUEUE, Exchange(""), routing_key=QUEUE)(connection.default_channel)
        assert queue.get() is None
        for number in (1, 2):
            Producer(connection).publish({"number": number}, routing_key=QUEUE, serializer="json")
        first = queue.get()
        assert first.payload == {"number": 1}
        assert server.llen(QUEUE) == 1
        first.requeue()
        first = queue.get()
        assert first.payload == {"number": 1}
        first.ack()
        queue.get(no_ack=True)
        assert queue.get() is None
        eventually(lambda: not server.keys("bgjobs:leases:*"))


def test_plain_kombu_consumes_without_celery(server: redis.Redis, crew: Crew) -> None:
    crew.dismiss()
    got: list[Any] = []

    def take(body: Any, message: Any) -> None:
        got.append(body)
        message.ack()

    with ExitStack() as stack:
        connection = stack.enter_context(Connection(os.environ["BROKER_URL"]))
        producer = Producer(stack.enter_context(Connection(os.environ["BROKER_URL"])))
        queue = Queue(QUEUE, Exchange(""), routing_key=QUEUE)
        stack.enter_context(Consumer(connection, [queue], callbacks=[take], accept=["json"]))
        for number in range(10):
            producer.publish({"number": number}, routing_key=QUEUE, serializer="json")
            connection.drain_events(timeout=5)
        assert [body["number"] for body in got] == list(range(10))
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0.2)
    eventually(lambda: not server.keys("bgjobs:leases:*"))
    assert server.llen(QUEUE) == 0


# The way back.


def test_the_same_project_works_on_celerys_own_redis_transport(
    worker: Start, crew: Crew, server: redis.Redis, seen: Seen
) -> None:
    crew.dismiss()
    url = os.environ["BROKER_URL"].replace("leased://", "redis://")
    worker(*COMMON, "--hostname=back@test", "--concurrency=2", environment={"BROKER_URL": url})
    with app.connection_for_write(url) as connection:
        assert mark.apply_async(("plain",), connection=connection).get(timeout=20) == "plain"
        assert again.apply_async((1,), connection=connection).get(timeout=20) == 1
        assert mark.apply_async(("soon",), countdown=0.5, connection=connection).get(timeout=20) == "soon"
        assert chain(add.s(1, 2), add.s(3)).apply_async(connection=connection).get(timeout=20) == 6
        assert app.control.ping(["back@test"], timeout=2, connection=connection)
        assert not server.keys("bgjobs:leases:*")
        assert server.llen(SEEN) == 4
