import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Task, current_app
from celery.schedules import crontab
from celery.worker.consumer import Consumer
from django.core.checks import run_checks
from django.test import override_settings

from apps.core import checks
from apps.core.broker.consumer import LeasedConsumer
from apps.core.broker.server_facts import ServerFacts
from apps.core.exceptions import DeclarationError
from apps.core.queues import Pool
from apps.core.tasks import declaration
from deploy.local.ports import HOST
from deploy.local.valkey import Valkey, binary
from intelliwiz_config.celery import app
from intelliwiz_config.pools import POOLS


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def ids(found: list[Any]) -> list[str]:
    return [message.id for message in found]


def test_the_project_as_shipped_is_clean() -> None:
    """But for the test run's own server, which keeps nothing on disk."""
    assert ids(run_checks(tags=["bgjobs"])) == ["bgjobs.W007"]


def test_a_wrongly_declared_task_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declaration, "_problems", {"sample": ["unknown option 'x'"]})
    (error,) = checks.task_declarations(None)
    assert error.id == "bgjobs.E001"
    assert error.msg == "Task 'sample': unknown option 'x'"


def test_a_queue_without_a_consumer_is_an_error() -> None:
    with override_settings(BGJOBS={"pools": tuple(pool for pool in POOLS if pool.name != "reports")}):
        (error,) = checks.consumers_of_queues(None)
    assert error.id == "bgjobs.E002"
    assert "'reports'" in error.msg


def test_a_task_with_time_limits_on_threads_is_an_error() -> None:
    threads = Pool(name="mail_threads", queues=("email",), concurrency=8, kind="threads")
    with override_settings(BGJOBS={"pools": (*POOLS, threads)}):
        found = checks.pools_of_tasks(None)
    assert set(ids(found)) == {"bgjobs.E003"}
    assert any("send_escalation_email" in error.msg and "mail_threads" in error.msg for error in found)


@pytest.fixture
def celery_setting() -> Iterator[Callable[[str, Any], None]]:
    before: dict[str, Any] = {}

    def change(name: str, value: Any) -> None:
        before.setdefault(name, app.conf[name])
        app.conf[name] = value

    yield change
    for name, value in before.items():
        app.conf[name] = value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_acks_late", False),
        ("task_reject_on_worker_lost", False),
        ("worker_prefetch_multiplier", 4),
        ("task_create_missing_queues", True),
        ("worker_cancel_long_running_tasks_on_connection_loss", True),
    ],
)
def test_a_setting_under_which_jobs_are_lost_is_an_error(
    celery_setting: Callable[[str, Any], None], name: str, value: Any
) -> None:
    celery_setting(name, value)
    (error,) = checks.celery_settings(None)
    assert error.id == "bgjobs.E004"
    assert name in error.msg
    assert f"CELERY_{name.upper()}" in (error.hint or "")


def test_an_entry_whose_task_does_not_exist_is_an_error(celery_setting: Callable[[str, Any], None]) -> None:
    options = {"expires": 600}
    nightly = {"task": "auto_close_job", "schedule": crontab(minute=3, hour=2), "options": options}
    celery_setting("beat_schedule", {"nightly": nightly})
    (error,) = checks.timetable_findings(None)
    assert error.id == "bgjobs.SCH103"
    assert error.msg == "nightly fires 'auto_close_job', which is no registered task; did you mean 'auto_close_jobs'?"
    with pytest.raises(SystemExit, match="SCH103"):
        checks.refuse_to_start()


def test_entries_that_share_a_minute_are_an_error_but_do_start(celery_setting: Callable[[str, Any], None]) -> None:
    entry = {"task": "cleanup_firings", "schedule": crontab(minute=3, hour=2), "options": {"expires": 600}}
    celery_setting("beat_schedule", {"one": entry, "other": dict(entry)})
    (error,) = checks.timetable_findings(None)
    assert (error.id, error.is_serious()) == ("bgjobs.SCH101", True)
    checks.refuse_to_start()


def test_an_entry_whose_schedule_cannot_be_fired_is_an_error(celery_setting: Callable[[str, Any], None]) -> None:
    often = {"task": "cleanup_firings", "schedule": 0.1, "options": {"expires": 0.1}}
    celery_setting("beat_schedule", {"often": often})
    assert [error.id for error in checks.timetable_findings(None)] == ["bgjobs.SCH114"]
    with pytest.raises(SystemExit, match="one second is the shortest"):
        checks.refuse_to_start()


def test_a_timetable_that_cannot_be_read_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not look like one without entries."""
    monkeypatch.setattr(app, "timetable_error", DeclarationError("Entry 'x': wrong"))
    (error,) = checks.timetable_findings(None)
    assert (error.id, error.msg) == ("bgjobs.E012", "Entry 'x': wrong")
    with pytest.raises(SystemExit, match="Entry 'x'"):
        checks.refuse_to_start()


def test_a_process_with_an_error_does_not_start(celery_setting: Callable[[str, Any], None]) -> None:
    checks.refuse_to_start()
    celery_setting("task_acks_late", False)
    with pytest.raises(SystemExit, match="task_acks_late"):
        checks.refuse_to_start()


def test_an_unknown_engine_setting_names_the_nearest() -> None:
    from django.core.exceptions import ImproperlyConfigured

    with override_settings(BGJOBS={"pool": ()}), pytest.raises(ImproperlyConfigured, match="did you mean 'pools'"):
        checks.consumers_of_queues(None)


def test_the_tasks_of_every_app_are_found_without_registering_them() -> None:
    assert current_app.main == "intelliwiz_config"
    names = {task.name for task in checks.loaded_tasks()}
    assert {"auto_close_jobs", "ticket_escalation", "send_ticket_email"} <= names


@pytest.fixture
def start(tmp_path: Path, celery_setting: Callable[[str, Any], None]) -> Iterator[Callable[..., None]]:
    """Starts a server with this command and makes it the broker."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*command: str, folder: Path = tmp_path, url: str, answers: Callable[[], bool]) -> None:
        started.append(subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL))
        until = time.monotonic() + 20
        while not answers():
            assert time.monotonic() < until
            time.sleep(0.01)
        celery_setting("broker_url", url)

    yield begin
    for one in started:
        one.kill()
        one.wait()


def test_the_server_of_make_run_is_clean(tmp_path: Path, start: Callable[..., None]) -> None:
    server = Valkey(tmp_path, free_port())
    command = server.prepare()
    start(*command.arguments, folder=command.folder, url=server.url(0, "leased"), answers=server.answers)
    assert checks.broker_server(None) == []


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("maxmemory-policy", "allkeys-lru", "bgjobs.W006"),
        ("appendonly", "no", "bgjobs.W007"),
        ("maxmemory", "0", "bgjobs.W008"),
    ],
)
def test_a_server_that_may_lose_jobs_is_a_warning_with_the_cure(
    tmp_path: Path, start: Callable[..., None], setting: str, value: str, expected: str
) -> None:
    server = Valkey(tmp_path, free_port())
    folder = server.prepare().folder
    arguments = (str(binary()), "valkey.conf", f"--{setting}", value)
    start(*arguments, folder=folder, url=server.url(0, "leased"), answers=server.answers)
    (warning,) = checks.broker_server(None)
    assert warning.id == expected
    assert warning.hint
    assert not warning.is_serious()


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"redis_version": "6.0.16"}, ["bgjobs.W009"]),
        ({"redis_version": "5.0.3"}, ["bgjobs.W009"]),
        ({"redis_version": "6.2.0"}, []),
        ({"redis_version": "7.0.15"}, []),
        ({"server_name": "valkey", "valkey_version": "9.1.2", "redis_version": "7.2.4"}, []),
        ({}, []),
    ],
)
def test_a_server_older_than_redis_6_2_is_a_warning(info: dict[str, Any], expected: list[str]) -> None:
    facts = ServerFacts.read(info)
    assert ids(list(checks.doubts_about(facts))) == expected


def test_a_server_that_may_not_be_asked_is_not_judged(
    tmp_path: Path, start: Callable[..., None], celery_setting: Callable[[str, Any], None]
) -> None:
    server = Valkey(tmp_path, free_port())
    command = server.prepare()
    with (command.folder / "valkey.conf").open("a") as conf:
        conf.write("appendonly no\nuser guest on >guest +ping\n")
    start(*command.arguments, folder=command.folder, url=server.url(0, "leased"), answers=server.answers)
    assert ids(checks.broker_server(None)) == ["bgjobs.W007"]
    celery_setting("broker_url", f"leased://guest:guest@{server.url(0).partition('@')[2]}")
    assert checks.broker_server(None) == []


def test_a_server_that_is_down_is_not_judged_and_not_waited_for(celery_setting: Callable[[str, Any], None]) -> None:
    celery_setting("broker_url", f"leased://{HOST}:{free_port()}/0")
    began = time.monotonic()
    assert checks.broker_server(None) == []
    assert time.monotonic() - began < 3


def test_a_server_that_never_answers_is_not_waited_for(celery_setting: Callable[[str, Any], None]) -> None:
    with socket.create_server((HOST, 0)) as silent:
        celery_setting("broker_url", f"leased://{HOST}:{silent.getsockname()[1]}/0")
        began = time.monotonic()
        assert checks.broker_server(None) == []
        assert time.monotonic() - began < 3


def test_a_plain_broker_is_not_judged(celery_setting: Callable[[str, Any], None]) -> None:
    celery_setting("broker_url", current_app.conf.broker_url.replace("leased://", "redis://"))
    celery_setting("worker_consumer", "celery.worker.consumer:Consumer")
    assert checks.broker_server(None) == []
    assert checks.leased_consumer(None) == []


@pytest.mark.parametrize("consumer", ["celery.worker.consumer:Consumer", Consumer, "no.such:Consumer", None])
def test_another_consumer_on_a_leased_broker_is_an_error(
    celery_setting: Callable[[str, Any], None], consumer: Any
) -> None:
    celery_setting("worker_consumer", consumer)
    (error,) = checks.leased_consumer(None)
    assert error.id == "bgjobs.E010"
    assert "CELERY_WORKER_CONSUMER" in (error.hint or "")


def test_a_consumer_derived_from_the_leased_one_is_none(celery_setting: Callable[[str, Any], None]) -> None:
    class OwnConsumer(LeasedConsumer):
        pass

    celery_setting("worker_consumer", OwnConsumer)
    assert checks.leased_consumer(None) == []


def test_a_task_with_celerys_own_request_is_an_error_that_names_it() -> None:
    assert checks.leased_requests(None) == []

    class Foreign(Task):
        name = "test.foreign"

        def run(self) -> None: ...

    app.register_task(Foreign())
    try:
        (error,) = checks.leased_requests(None)
    finally:
        del app.tasks["test.foreign"]
    assert error.id == "bgjobs.E011"
    assert "'test.foreign'" in error.msg
