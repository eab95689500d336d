"""What the tasks of any Celery application say of their jobs, and where those go."""

from collections.abc import Iterable
from inspect import getattr_static
from typing import Any

from celery import Celery

from ..queues import QUEUE_BY_NAME
from ..schedules.timetable import TaskFacts
from ..tasks import BaseTask, IdempotentTask


def task_facts(app: Any, task: Any) -> TaskFacts:
    own = isinstance(task, BaseTask)
    guarded = isinstance(task, IdempotentTask) and task.idempotent
    return TaskFacts(
        name=task.name,
        queue=task.queue_name if own else _routed(app, task),
        time_limit=task.time_limit or (None if own else app.conf.task_time_limit),
        expires=task.expires if isinstance(task.expires, int | float) else None,
        of_engine=own,
        idempotent=guarded,
        key_ignores_firing=guarded and getattr_static(type(task), "idempotency_key") is not None,
        ttl=task.idempotency_ttl if guarded else 0,
        scope=task.idempotency_scope if guarded else "global",
        repeatable=own and task.repeatable,
    )


def known_queues(app: Celery, tasks: Iterable[Any], *, of_engine: bool) -> frozenset[str]:
    """The queues that an application declares; where it declares none, those that its tasks and routes name."""
    if of_engine:
        return frozenset(QUEUE_BY_NAME)
    if declared := queue_names(app.conf.task_queues or ()):
        return declared
    routed = {queue for task in tasks if (queue := _routed(app, task))}
    return frozenset({app.conf.task_default_queue, *routed})


def queue_names(queues: Any) -> frozenset[str]:
    """Of Celery's `task_queues`: queues of kombu, or a mapping."""
    return frozenset(str(getattr(queue, "name", queue)) for queue in queues)


def _routed(app: Any, task: Any) -> str | None:
    """Where Celery sends a task's jobs, in the order in which it decides."""
    queue = getattr(task, "queue", None)
    if not queue:
        route = app.amqp.router.lookup_route(task.name, (), {}, {}, task)
        queue = (route or {}).get("queue") or app.conf.task_default_queue
    return str(getattr(queue, "name", queue))
