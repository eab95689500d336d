"""What becomes of the jobs of firings, written into the firings' rows by an observer of Celery's signals.

A worker that cannot reach the database runs its jobs all the same: then the row stays as it was.
"""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from celery import signals, states
from django.db import Error as DatabaseError
from django.db import connections
from django.db.models.functions import Coalesce
from django.utils import timezone

from ..context import ENTRY_HEADER
from ..logs import get_logger
from . import rows
from .fire import LONGEST_HOLD
from .models import Firing

log = get_logger(__name__)

Outcome = Firing.Outcome
ENDS: Final = {
    states.SUCCESS: Outcome.SUCCEEDED,
    states.FAILURE: Outcome.FAILED,
    states.IGNORED: Outcome.SUCCEEDED,  # the task has seen to its own result
}


def observe() -> None:
    """Start writing. Connecting twice has no further effect."""
    signals.task_prerun.connect(_started)
    signals.task_postrun.connect(_attempt_ended)
    signals.task_failure.connect(_failed_without_an_end)
    signals.task_revoked.connect(_dropped)


def _started(*, task: Any, **_: Any) -> None:
    if _is_firing(task.request):
        now = timezone.now()
        first = Coalesce("started_at", now)
        held = now + _longest_run(task)
        _note(task.request.id, outcome=Outcome.RUNNING, started_at=first, ended_at=None, why="", held_until=held)


def _attempt_ended(*, task: Any, state: str | None, retval: Any, **_: Any) -> None:
    """Receiver of `task_postrun`, when the transaction of a job, if it has one, is over."""
    if not _is_firing(task.request):
        return
    job = task.request.id
    if outcome := ENDS.get(state or ""):
        why = type(retval).__name__ if outcome == Outcome.FAILED else ""
        _note(job, outcome=outcome, ended_at=timezone.now(), why=why)
    elif state == states.RETRY:
        _note(job, outcome=Outcome.RETRYING, held_until=_moment(retval.when) + _longest_run(task))
    elif state == states.REJECTED:
        again = bool(getattr(retval, "requeue", False))
        ended = {} if again else {"ended_at": timezone.now(), "why": type(retval).__name__}
        _note(job, outcome=Outcome.RETRYING if again else Outcome.FAILED, **ended)


def _failed_without_an_end(*, sender: Any, task_id: str, exception: BaseException, **_: Any) -> None:
    """A job whose process died, or was killed at its time limit, fails in the main process, without a request."""
    if sender.request.id != task_id:
        ended = {"ended_at": timezone.now(), "why": type(exception).__name__}
        _note_aside(task_id, outcome=Outcome.FAILED, **ended)


def _dropped(*, request: Any, expired: bool, **_: Any) -> None:
    if _is_firing(request):
        outcome = Outcome.EXPIRED if expired else Outcome.REVOKED
        _note_aside(request.id, outcome=outcome, ended_at=timezone.now())


def _is_firing(request: Any) -> bool:
    if getattr(request, "is_eager", False):
        return False  # it runs in its caller's transaction
    return bool(getattr(request, ENTRY_HEADER, None) or (request.headers or {}).get(ENTRY_HEADER))


def _longest_run(task: Any) -> timedelta:
    limit, _ = task.request.timelimit or (None, None)
    return timedelta(seconds=limit or task.time_limit or LONGEST_HOLD)


def _moment(when: Any) -> datetime:
    """When a retry is due: Celery says so by a moment or by seconds from now."""
    if isinstance(when, datetime):
        return when if when.tzinfo else when.replace(tzinfo=UTC)
    return timezone.now() + timedelta(seconds=when or 0)


def _note(job: str, **changes: Any) -> None:
    try:
        rows.note(job, **changes)
    except DatabaseError as error:
        log.warning("firing.not_noted", job=job, outcome=changes["outcome"], error=type(error).__name__)
        connections.close_all()


def _note_aside(job: str, **changes: Any) -> None:
    """In a thread: a main process must neither wait for a database nor keep a connection that children inherit."""

    def note() -> None:
        _note(job, **changes)
        connections.close_all()

    threading.Thread(target=note, name="bgjobs-firing", daemon=True).start()
