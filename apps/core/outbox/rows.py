"""The outbox's table: what is written into it, and what is asked of it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from ..broker.messages import Outgoing

if TYPE_CHECKING:
    from django.db.models import Manager

    from .models import OutboxMessage

PORTION: Final = 1000  # rows in one statement
_COLUMNS: Final = "job, task, queue, list, message, tag, due, durable, unique_key"
# The message of a durable job that has a row already (its retry) takes the place of the one before it. It is planned
# anew for each enqueue, so it is as simple as can be: a fifth of the time of what messages with unique keys need.
_WRITE: Final = """
INSERT INTO bgjobs_outboxmessage ({columns}) VALUES {rows}
ON CONFLICT (job) WHERE durable DO UPDATE
SET queue = excluded.queue, list = excluded.list, message = excluded.message, tag = excluded.tag, due = excluded.due,
    created_at = excluded.created_at, published_at = NULL
"""
_ROW: Final = f"({', '.join(['%s'] * 9)})"
_WRITE_UNIQUE: Final = (Path(__file__).parent / "write_unique.sql").read_text()


def database() -> Any:
    """This thread's connection to the database that holds the outbox, and with it the effects of durable jobs."""
    return connections[DEFAULT_DB_ALIAS]


def table() -> "Manager[OutboxMessage]":
    """Looked up when it is needed: Celery applications are made before Django's models are."""
    return apps.get_model("bgjobs", "OutboxMessage")._default_manager  # noqa: SLF001 - Django's documented way


def write(messages: Sequence[Outgoing]) -> list[Outgoing]:
    """Write rows, all or none, in the current transaction if there is one. Returns the messages that have none.

    These have a unique key that is another job's. Raises django.db.Error.
    """
    with_key = [one for one in messages if one.unique is not None]
    without = [one for one in messages if one.unique is None]
    written: set[str] = set()
    with transaction.atomic(savepoint=False) if len(messages) > 1 else nullcontext(), database().cursor() as cursor:
        for portion in _portions(without):
            statement = _WRITE.format(columns=_COLUMNS, rows=", ".join([_ROW] * len(portion)))
            cursor.execute(statement, [value for one in portion for value in _row(one)])
        for portion in _portions(with_key):
            cursor.execute(_WRITE_UNIQUE, _columns(portion))
            written |= {tag for (tag,) in cursor.fetchall()}
    return [one for one in with_key if one.tag not in written]


def existing(tags: Iterable[str]) -> set[str]:
    """Those of these tags that have rows."""
    return set(table().filter(tag__in=list(tags)).values_list("tag", flat=True))


def holder(unique: str) -> "OutboxMessage | None":
    """The row that has a unique key."""
    return table().filter(unique_key=unique).first()


def discard(tags: Iterable[str]) -> int:
    """Remove rows by their tags. Returns how many there were."""
    return table().filter(tag__in=list(tags)).delete()[0]


def discard_older(job: str, moment: datetime) -> int:
    """Remove the row of a durable job, unless it was written after `moment`. Returns how many there were.

    Its tag may be that of an earlier message: a retry is also published while no row can be written.
    """
    return table().filter(job=job, durable=True, created_at__lte=moment).delete()[0]


def _portions(messages: Sequence[Outgoing]) -> Iterator[Sequence[Outgoing]]:
    for start in range(0, len(messages), PORTION):
        yield messages[start : start + PORTION]


def _row(one: Outgoing) -> tuple[Any, ...]:
    """In the order of _COLUMNS."""
    return one.job, one.task, one.queue, one.list, one.text, one.tag, one.due, one.durable, one.unique


def _columns(messages: Sequence[Outgoing]) -> dict[str, list[Any]]:
    columns = zip(*(_row(one) for one in messages), strict=True)
    return dict(zip(_COLUMNS.split(", "), map(list, columns), strict=True))
