"""Durable jobs: the effects and the record of them are one transaction, so they happen once, whatever dies when."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from celery.exceptions import Ignore
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db import Error as DatabaseError
from django.db.models import Q
from django.db.models.functions import Now

from .. import steps
from . import result
from .store import Succeeded

if TYPE_CHECKING:
    from django.db.models import Manager

    from .models import IdempotencyRecord

_DONE: Final = (Path(__file__).parent / "done.sql").read_text()


class DurableTask(Protocol):
    """What this needs of a task."""

    name: str
    idempotency_ttl: float

    @property
    def request(self) -> Any: ...


class DoneBeforeError(Exception):
    """The job, or another one under its key, had been done when this one came to its end; it was rolled back."""


def table() -> "Manager[IdempotencyRecord]":
    """Looked up when it is needed: Celery applications are made before Django's models are."""
    return apps.get_model("bgjobs", "IdempotencyRecord")._default_manager  # noqa: SLF001 - Django's documented way


def run_in_transaction(task: DurableTask, body: Callable[[], Any]) -> Any:
    """Run `body` and write the record of it, in one transaction. Raises DoneBeforeError, and what the body raises.

    Celery's Ignore, as `self.replace()` raises it, is a good end; it is raised when the transaction is committed.
    """
    ignored: Ignore | None = None
    value, is_written = None, False
    task.request.bgjobs_in_transaction = True
    try:
        with transaction.atomic():
            try:
                value = body()
            except Ignore as error:
                ignored = error
            _write_record(task, value)
            is_written = True
    except Exception:
        # A time limit or a lost connection may strike when the server has committed already.
        if not (is_written and _was_committed(task)):
            raise
    finally:
        task.request.bgjobs_in_transaction = False
    steps.reached("durable.committed", job=task.request.id, task=task.name)
    if ignored is not None:
        raise ignored
    return value


def is_in_transaction(task: DurableTask) -> bool:
    """Whether what the task's job does now is rolled back when it fails."""
    return bool(getattr(task.request, "bgjobs_in_transaction", False))


def done_before(job: str, key: str) -> Succeeded | None:
    """How this job, or another one under its key, has ended, as the database knows it. Raises django.db.Error."""
    records = table().filter(Q(job=job) | Q(key=key, expires_at__gt=Now()))
    record = min(records, key=lambda one: one.job != job, default=None)
    if record is None:
        return None
    return Succeeded(key=key, job=record.job, result=result.decode(record.result))


def release(key: str) -> int:
    """Let another job run under this key. Returns how many records had it."""
    return table().filter(key=key).update(key=None)


def drop_row(job: str) -> None:
    """The job is answered and needs no row in the outbox any more. Raises django.db.Error."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("DELETE FROM bgjobs_outboxmessage WHERE job = %s AND durable", [job])


def _was_committed(task: DurableTask) -> bool:
    try:
        return table().filter(job=task.request.id).exists()
    except DatabaseError:
        return False  # it is tried again, and finds its record then


def _write_record(task: DurableTask, value: Any) -> None:
    request = task.request
    facts = {
        "job": request.id,
        "key": request.bgjobs_key,
        "task": task.name,
        "result": result.encode(value),
        "ttl": task.idempotency_ttl,
    }
    steps.reached("durable.worked", job=request.id, task=task.name)
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(_DONE, facts)
        if cursor.fetchone() is None:
            raise DoneBeforeError(request.id)
