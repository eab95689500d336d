"""What a task's declaration must satisfy.

Nothing is raised while a task is being made: Celery would silently drop the healthy tasks that come after it.
Problems are collected, raised together once all tasks are known, and listed by `manage.py check`.
"""

from collections.abc import Iterator
from inspect import getattr_static, unwrap
from typing import Any

from celery.utils.functional import head_from_fun

from .. import masking
from ..exceptions import DeclarationError
from ..queues import QUEUE_BY_NAME, nearest

# What Celery's decorator itself puts on the class, or reads from its options without an attribute of that name.
_OF_THE_DECORATOR = frozenset({"app", "name", "run", "queue"})

_problems: dict[str, list[str]] = {}


def problems() -> list[str]:
    """Every declaration error found so far, one line each."""
    return [f"Task {name!r}: {problem}" for name in sorted(_problems) for problem in _problems[name]]


def raise_declaration_errors() -> None:
    """Raises DeclarationError that lists every wrongly declared task, if there is one."""
    if found := problems():
        raise DeclarationError("\n".join(found))


def examine(task: type[Any]) -> None:
    """Record what is wrong with the declaration of a new task class; a repaired one clears its record."""
    found = [*_unknown_options(task), *task.declaration_problems()]
    name = task.name or f"{task.__module__}.{task.__name__}"
    if found:
        _problems[name] = found
    else:
        _problems.pop(name, None)


def bind_self(task: type[Any]) -> None:
    """Make a first parameter called `self` the task, as `bind=True` does."""
    run = task.__dict__.get("run")
    if not isinstance(run, staticmethod):
        return
    function = run.__func__
    code = getattr(unwrap(function), "__code__", None)
    if code is None or code.co_argcount == 0 or code.co_varnames[0] != "self":
        return
    task.run = function
    task.__wrapped__ = function
    task.__header__ = staticmethod(head_from_fun(function, bound=True))


def take_queue(task: type[Any]) -> None:
    """Move the option `queue` to `queue_name`: Celery deprecates the attribute and routes by function instead."""
    queue = task.__dict__.get("queue")
    if queue is None:
        return
    del task.queue
    task.queue_name = queue


def _unknown_options(task: type[Any]) -> Iterator[str]:
    if not task.__dict__.get("_decorated"):
        return  # a base class of the project's own may have attributes of its own
    parents = task.__mro__[1:]
    for option in task.__dict__:
        if option.startswith("_") or option in _OF_THE_DECORATOR:
            continue
        if not any(option in vars(parent) for parent in parents):
            known = {name for parent in parents for name in vars(parent) if _is_option(parent, name)}
            yield f"unknown option {option!r}; {nearest(option, known | {'queue'})}"


def _is_option(parent: type[Any], name: str) -> bool:
    # Looked up statically: reading `app` would bind the class to an application.
    value = getattr_static(parent, name)
    return not name.startswith("_") and not callable(value) and not hasattr(value, "__get__")


def option_problems(task: type[Any]) -> Iterator[str]:
    """What is wrong with the options that every task has."""
    if task.queue_name not in QUEUE_BY_NAME:
        yield f"there is no queue {task.queue_name!r}; {nearest(str(task.queue_name), QUEUE_BY_NAME)}"
    if not (task.max_retries is None or _is_count(task.max_retries)):
        yield f"max_retries must be a whole number, 0 or more, or None for no limit, not {task.max_retries!r}"
    for option in ("max_process_deaths", "max_deliveries"):
        if not _is_count(value := getattr(task, option)) or value < 1:
            yield f"{option} must be a whole number, 1 or more, not {value!r}"
    for option in ("default_retry_delay", "retry_backoff_max", "retry_backoff", "soft_time_limit", "time_limit"):
        value = getattr(task, option)
        if option == "retry_backoff" and isinstance(value, bool):
            continue
        if value is not None and not (_is_number(value) and value > 0):
            yield f"{option} must be a number of seconds above 0, not {value!r}"
            return
    if task.time_limit is not None and (task.soft_time_limit or 0) >= task.time_limit:
        yield (
            f"soft_time_limit ({task.soft_time_limit}) must be below time_limit ({task.time_limit}), "
            "or the job is killed before it can tidy up"
        )
    if task.retry_jitter is not True:
        yield "retry_jitter cannot be turned off: without it all retries of an outage come at once"
    run: Any = task.__dict__.get("run")
    is_static = isinstance(run, staticmethod)
    yield from masking.problems(run.__func__ if is_static else run, task.sensitive_args, skip_self=not is_static)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
