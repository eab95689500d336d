from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import current_app
from django.core.checks import run_checks
from django.test import override_settings

from apps.core import checks
from apps.core.queues import Pool
from apps.core.tasks import declaration
from intelliwiz_config.celery import app
from intelliwiz_config.pools import POOLS


def ids(found: list[Any]) -> list[str]:
    return [message.id for message in found]


def test_the_project_as_shipped_is_clean() -> None:
    assert run_checks(tags=["bgjobs"]) == []


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
        before[name] = app.conf[name]
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
    celery_setting("beat_schedule", {"nightly": {"task": "auto_close_job", "schedule": 60}})
    (error,) = checks.timetable_tasks(None)
    assert error.id == "bgjobs.E005"
    assert "'nightly' fires 'auto_close_job'" in error.msg


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
