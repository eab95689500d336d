"""One log line per step of a job's life, written by an observer of Celery's signals.

Ids, names and durations only: arguments, results and error texts may hold personal data.
"""

import time
import traceback
from types import TracebackType
from typing import Any

from celery import signals
from celery.app.task import Context

from ..context import READY_AT_HEADER
from ..logs import get_logger
from ..retry import FailureReason, classify

log = get_logger(__name__)


def observe() -> None:
    """Start writing. Connecting twice has no further effect."""
    signals.task_prerun.connect(_started)
    signals.task_success.connect(_succeeded)
    signals.task_retry.connect(_retried)
    signals.task_failure.connect(_failed)
    signals.task_revoked.connect(_revoked)
    signals.task_rejected.connect(_rejected)
    signals.task_unknown.connect(_unknown)


def _started(*, task: Any, **_: Any) -> None:
    request = task.request
    request.bgjobs_started = time.monotonic()
    _write("job.started", task, attempt=request.retries + 1, wait_seconds=_waited(request))


def _succeeded(*, sender: Any, **_: Any) -> None:
    _write("job.succeeded", sender, run_seconds=_ran(sender.request))


def _retried(*, sender: Any, reason: Any, **_: Any) -> None:
    error = getattr(reason, "exc", None)
    _write(
        "job.retried",
        sender,
        run_seconds=_ran(sender.request),
        attempt=sender.request.retries + 1,
        reason=classify(error) if error is not None else FailureReason.TRANSIENT,
        error=type(error).__name__ if error is not None else None,
    )


def _failed(*, sender: Any, task_id: str, exception: BaseException, **_: Any) -> None:
    # A job whose process died fails in the worker's main process, where it has no request.
    known = sender.request.id == task_id
    log.error(
        "job.failed",
        task=sender.name,
        job=task_id,
        run_seconds=_ran(sender.request) if known else None,
        reason=classify(exception),
        error=type(exception).__name__,
        where=_where(exception.__traceback__),
    )


def _revoked(*, sender: Any, request: Any, expired: bool, **_: Any) -> None:
    log.warning("job.expired" if expired else "job.revoked", task=sender.name, job=request.id)


def _rejected(*, message: Any, **_: Any) -> None:
    log.error("job.rejected", job=(message.headers or {}).get("id"))


def _unknown(*, name: str, id: str, **_: Any) -> None:  # noqa: A002 - Celery's name for it
    log.error("job.unknown_task", task=name, job=id, fix="deploy workers that have this task, then retry it")


def _write(event: str, task: Any, **details: Any) -> None:
    request = task.request
    queue = (request.delivery_info or {}).get("routing_key")
    log.info(event, task=task.name, job=request.id, queue=queue, **details)


def _waited(request: Context) -> float | None:
    ready_at = getattr(request, READY_AT_HEADER, None) or (request.headers or {}).get(READY_AT_HEADER)
    return round(max(time.time() - ready_at, 0.0), 4) if isinstance(ready_at, int | float) else None


def _ran(request: Context) -> float | None:
    started = getattr(request, "bgjobs_started", None)
    return round(time.monotonic() - started, 4) if started is not None else None


def _where(trace: TracebackType | None) -> list[str]:
    """The frames of a traceback without its error text: "services.py:42 close"."""
    if not isinstance(trace, TracebackType):
        return []
    return [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(trace)[-8:]
    ]
