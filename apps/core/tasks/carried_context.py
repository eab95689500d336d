"""The context of a job is in force from its first hook to its last callback.

Celery enqueues the next link of a chain and the body of a chord after the task's function has returned, so the
context is entered around all that a worker does for a job, not around the function alone.
"""

from contextvars import Token
from typing import Any

from celery import signals

from .. import context
from ..context import JobContext

_TOKEN = "bgjobs_context_token"  # noqa: S105 - the name of an attribute


def observe() -> None:
    """Start entering contexts. Connecting twice has no further effect."""
    signals.task_prerun.connect(_enter)
    signals.task_postrun.connect(_leave)


def _enter(*, task: Any, **_: Any) -> None:
    carried = JobContext.from_headers(task.request.headers or {})
    if task.request.is_eager and carried == JobContext():
        carried = context.current()  # a job that runs in process is its caller's
    setattr(task.request, _TOKEN, context.enter(carried))


def _leave(*, task: Any, **_: Any) -> None:
    token: Token[JobContext] | None = getattr(task.request, _TOKEN, None)
    if token is not None:
        context.leave(token)
