"""System checks of the engine: each misconfiguration has an id, a hint and a test."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from celery import current_app
from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register, run_checks

from .conf import engine_settings
from .exceptions import DeclarationError
from .queues import QUEUES, Pool
from .tasks import BaseTask
from .tasks.declaration import problems

REQUIRED_CONF = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_acks_on_failure_or_timeout": True,
    "worker_prefetch_multiplier": 1,
    "task_create_missing_queues": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
}


def register_all() -> None:
    for check in (task_declarations, consumers_of_queues, pools_of_tasks, celery_settings, timetable_tasks):
        register(check, "bgjobs")


def task_declarations(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """bgjobs.E001: a task is declared with an option that does not exist or cannot work."""
    loaded_tasks()
    return [Error(problem, hint="Correct the decorator of that task.", id="bgjobs.E001") for problem in problems()]


def consumers_of_queues(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """bgjobs.E002: a queue that no pool serves, so that its jobs would wait for ever."""
    served = {queue for pool in engine_settings().pools for queue in pool.queues}
    return [
        Error(
            f"No worker pool serves the queue {queue.name!r}.",
            hint="Add the queue to a pool in BGJOBS['pools'].",
            id="bgjobs.E002",
        )
        for queue in QUEUES
        if queue.name not in served
    ]


def pools_of_tasks(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """bgjobs.E003: a task with time limits on a pool that cannot enforce them."""
    return [
        Error(
            f"Task {task.name!r} has time limits, which the {pool.kind} pool {pool.name!r} cannot enforce.",
            hint=f"Make the pool prefork, or declare the task with soft_time_limit=None and time_limit=None, "
            f"or give it another queue than {task.queue_name!r}.",
            id="bgjobs.E003",
        )
        for task in loaded_tasks()
        for pool in _pools_without_limits(engine_settings().pools)
        if task.queue_name in pool.queues and (task.time_limit or task.soft_time_limit)
    ]


def celery_settings(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """bgjobs.E004: a Celery setting under which jobs are lost or jump the queue."""
    return [
        Error(
            f"Celery's {name} is {current_app.conf[name]!r}, but the engine's promises need {value!r}.",
            hint=f"Remove CELERY_{name.upper()} from the settings.",
            id="bgjobs.E004",
        )
        for name, value in REQUIRED_CONF.items()
        if current_app.conf[name] != value
    ]


def timetable_tasks(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """bgjobs.E005: a timetable entry whose task is not registered."""
    known = {task.name for task in loaded_tasks(of_engine_only=False)}
    schedule = current_app.conf.beat_schedule or {}
    return [
        Error(
            f"The timetable entry {name!r} fires {entry['task']!r}, which is no registered task.",
            hint="Correct the name, or add the @shared_task decorator to the function.",
            id="bgjobs.E005",
        )
        for name, entry in schedule.items()
        if entry["task"] not in known
    ]


def loaded_tasks(*, of_engine_only: bool = True) -> list[Any]:
    """All declared tasks, wrongly declared ones included; of the engine's own kind, or all of Celery's."""
    app: Any = current_app
    # Not `import_default_modules`: Celery runs all system checks from there.
    app.autodiscover_tasks([config.name for config in apps.get_app_configs()], force=True)
    with suppress(DeclarationError):  # listed one by one by `task_declarations`
        app.finalize()
    tasks = app._tasks.values()  # noqa: SLF001 - `app.tasks` raises while one task is wrong
    return [task for task in tasks if isinstance(task, BaseTask) or not of_engine_only]


def refuse_to_start(**_: Any) -> None:
    """Receiver of `worker_init` and `beat_init`. Ends the process where a check of the engine finds an error."""
    errors = [message for message in run_checks(tags=["bgjobs"]) if message.is_serious()]
    if errors:
        raise SystemExit("\n".join(str(message) for message in errors))


def _pools_without_limits(pools: tuple[Pool, ...]) -> list[Pool]:
    return [pool for pool in pools if pool.kind != "prefork"]
