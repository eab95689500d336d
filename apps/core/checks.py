"""System checks of the engine: each misconfiguration has an id, a hint and a test."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import redis
from celery import current_app
from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register, run_checks
from django.core.checks import Warning as Caution
from kombu.utils.imports import symbol_by_name

from .broker.configured import broker_client, is_leased
from .broker.consumer import LeasedConsumer
from .broker.request import LeasedRequest
from .broker.server_facts import ServerFacts
from .broker.status import server_facts
from .conf import engine_settings
from .exceptions import DeclarationError
from .queues import QUEUES, Pool
from .schedules.codes import CODES
from .schedules.findings import Finding
from .schedules.rules import judge
from .tasks import BaseTask
from .tasks.declaration import problems
from .timetable.gather import gather

REQUIRED_CONF = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_acks_on_failure_or_timeout": True,
    "worker_prefetch_multiplier": 1,
    "task_create_missing_queues": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
}


SERVER_ANSWERS_WITHIN: Final = 0.5  # seconds; a check must not wait for a server that is down
OLDEST_REDIS: Final = (6, 2)


def register_all() -> None:
    for check in (
        task_declarations,
        consumers_of_queues,
        pools_of_tasks,
        celery_settings,
        timetable_findings,
        broker_server,
        leased_consumer,
        leased_requests,
    ):
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


def timetable_findings(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """bgjobs.SCH100 to SCH114: what `manage.py validate_schedules` finds, run times aside.

    bgjobs.E012: a timetable that cannot be read.
    """
    tasks = {task.name: task for task in loaded_tasks(of_engine_only=False)}
    try:
        if error := getattr(current_app, "timetable_error", None):
            raise error
        timetable = gather(current_app, tasks, at=datetime.now(UTC))
    except DeclarationError as error:
        return [Error(str(error), hint="Correct that entry.", id="bgjobs.E012")]
    return [_as_message(finding) for finding in judge(timetable) if finding.severity != "info"]


def broker_server(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """bgjobs.W006 to W009: a server under which jobs may be lost. One that cannot be asked is not judged."""
    if not is_leased():
        return []
    facts = None
    with suppress(redis.RedisError, OSError):
        facts = server_facts(
            broker_client(connect_timeout=SERVER_ANSWERS_WITHIN, reply_timeout=SERVER_ANSWERS_WITHIN)
        )
    return list(doubts_about(facts)) if facts else []


def doubts_about(server: ServerFacts) -> Iterator[CheckMessage]:
    if server.eviction not in (None, "noeviction"):
        yield Caution(
            f"The broker's server evicts keys when its memory is full (maxmemory-policy {server.eviction}): "
            "an evicted key is lost jobs.",
            hint="Set maxmemory-policy noeviction: a full server then refuses new jobs, and keeps those it has.",
            id="bgjobs.W006",
        )
    if server.keeps_log is False:
        yield Caution(
            "The broker's server keeps no append-only file: all jobs are lost when it restarts.",
            hint="Set appendonly yes.",
            id="bgjobs.W007",
        )
    if server.memory_limit == 0:
        yield Caution(
            "The broker's server has no memory limit: the kernel may kill it when the machine's memory is full.",
            hint="Set maxmemory well below the machine's memory, and let an alert ring at 80 % of it.",
            id="bgjobs.W008",
        )
    if server.compatible_with and server.compatible_with < OLDEST_REDIS:
        yield Caution(
            f"The broker's server ({server.kind} {server.version}) is too old: it lacks commands that claims need.",
            hint="Use Valkey 7.2 or later, or Redis 6.2 or later.",
            id="bgjobs.W009",
        )


def leased_consumer(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """bgjobs.E010: a consumer that drops what cannot run, and gives back what still runs."""
    if not is_leased() or _is_a(current_app.conf.worker_consumer, LeasedConsumer):
        return []
    return [
        Error(
            f"Celery's worker_consumer is {current_app.conf.worker_consumer!r}, under which jobs of a leased:// "
            "broker are lost or run twice.",
            hint=f"Remove CELERY_WORKER_CONSUMER from the settings, or derive from {LeasedConsumer.__name__}.",
            id="bgjobs.E010",
        )
    ]


def leased_requests(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """bgjobs.E011: a task whose jobs, when their process dies, would be blamed on nobody and loop for ever."""
    if not is_leased():
        return []
    return [
        Error(
            f"Task {task.name!r} has the Request {task.Request!r}, which knows no leases.",
            hint=f"Derive the task from BaseTask and its Request from {LeasedRequest.__name__}.",
            id="bgjobs.E011",
        )
        for task in loaded_tasks(of_engine_only=False)
        if not _is_a(task.Request, LeasedRequest)
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
    """Receiver of `worker_init` and `beat_init`. Ends the process where a check of the engine finds an error.

    Not for each finding about the timetable: entries that share a minute do fire.
    """
    errors = [message for message in run_checks(tags=["bgjobs"]) if message.is_serious() and _stops(message)]
    if errors:
        raise SystemExit("\n".join(str(message) for message in errors))


def _pools_without_limits(pools: tuple[Pool, ...]) -> list[Pool]:
    return [pool for pool in pools if pool.kind != "prefork"]


def _as_message(finding: Finding) -> CheckMessage:
    where = f" ({finding.place.file}:{finding.place.line})" if finding.place else ""
    kind = Error if finding.severity == "error" else Caution
    return kind(f"{finding.message}{where}", hint=finding.fix, id=f"bgjobs.{finding.code}")


def _stops(message: CheckMessage) -> bool:
    code = CODES.get(str(message.id).removeprefix("bgjobs."))
    return code is None or code.stops


def _is_a(named: Any, wanted: type) -> bool:
    """Whether a class, or the class that a text names, is `wanted` or derived from it."""
    try:
        found = symbol_by_name(named)
    except (ImportError, AttributeError, ValueError):
        return False
    return isinstance(found, type) and issubclass(found, wanted)
