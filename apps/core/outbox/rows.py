"""The outbox's table: what is written into it, and what is asked of it."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections

from ..broker.messages import Outgoing

if TYPE_CHECKING:
    from django.db.models import Manager

    from .models import OutboxMessage

PORTION: Final = 1000  # rows in one statement
_WRITE: Final = (Path(__file__).parent / "rows.sql").read_text()


def database() -> Any:
    """This thread's connection to the database that holds the outbox, and with it the effects of durable jobs."""
    return connections[DEFAULT_DB_ALIAS]


def table() -> "Manager[OutboxMessage]":
    """Looked up when it is needed: Celery applications are made before Django's models are."""
    return apps.get_model("bgjobs", "OutboxMessage")._default_manager  # noqa: SLF001 - Django's documented way


def write(messages: Sequence[Outgoing]) -> list[Outgoing]:
    """Write rows, in the current transaction if there is one. Returns the messages that have none.

    These have a unique key that is another job's. Raises django.db.Error.
    """
    written: set[str] = set()
    with database().cursor() as cursor:
        for start in range(0, len(messages), PORTION):
            cursor.execute(_WRITE, _columns(messages[start : start + PORTION]))
            written |= {tag for (tag,) in cursor.fetchall()}
    return [one for one in messages if one.tag not in written]


def existing(tags: Iterable[str]) -> set[str]:
    """Those of these tags that have rows."""
    return set(table().filter(tag__in=list(tags)).values_list("tag", flat=True))


def holder(unique: str) -> "OutboxMessage | None":
    """The row that has a unique key."""
    return table().filter(unique_key=unique).first()


def discard(tags: Iterable[str]) -> int:
    """Remove rows by their tags. Returns how many there were."""
    return table().filter(tag__in=list(tags)).delete()[0]


def finish(jobs: Iterable[str]) -> int:
    """Remove the rows of durable jobs that are not to be run again. Returns how many there were."""
    return table().filter(job__in=list(jobs), durable=True).delete()[0]


def _columns(messages: Sequence[Outgoing]) -> dict[str, list[Any]]:
    return {
        "job": [one.job for one in messages],
        "task": [one.task for one in messages],
        "queue": [one.queue for one in messages],
        "list": [one.list for one in messages],
        "message": [one.text for one in messages],
        "tag": [one.tag for one in messages],
        "due": [one.due for one in messages],
        "durable": [one.durable for one in messages],
        "unique_key": [one.unique for one in messages],
    }
