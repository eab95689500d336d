"""How idempotency keys are named on the command line: by the key, or by the task and its arguments."""

import json
from argparse import ArgumentParser
from typing import Any

from celery import current_app
from django.core.management.base import CommandError

from ..context import JobContext
from ..exceptions import IdempotencyKeyError
from ..queues import nearest
from ..tasks import IdempotentTask


def add_key_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("key", metavar="KEY|TASK", help="the key, or the name of a task")
    parser.add_argument(
        "arguments", metavar="ARGS", nargs="?", help="of the task, in JSON: a list, or an object of names"
    )
    parser.add_argument("--tenant", help="the tenant's id, for a task with that scope")
    parser.add_argument("--user", help="the user's id, for a task with that scope")
    parser.add_argument("--firing", help="the due instant, in ISO 8601, for a job of the timetable")


def named_key(options: dict[str, Any]) -> str:
    """The key that the options name. Raises CommandError."""
    name: str = options["key"]
    if ":" in name:
        if options["arguments"] is not None:
            raise CommandError(f"{name!r} is a key, which takes no arguments; name a task to give some.")
        return name
    tasks = {task.name: task for task in current_app.tasks.values() if isinstance(task, IdempotentTask)}
    if name not in tasks:
        raise CommandError(f"There is no idempotent task {name!r}; {nearest(name, tasks)}")
    args, kwargs = _arguments(options["arguments"] or "[]")
    carried = JobContext(tenant_id=options["tenant"], user_id=options["user"], firing=options["firing"])
    try:
        return tasks[name].key_for(args, kwargs, carried)
    except IdempotencyKeyError as error:
        raise CommandError(str(error)) from None


def _arguments(text: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CommandError(f"ARGS is not JSON ({error}); write a list or an object, as in '[7]'.") from None
    if isinstance(value, dict):
        return (), value
    return (tuple(value), {}) if isinstance(value, list) else ((value,), {})
