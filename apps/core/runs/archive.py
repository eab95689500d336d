"""The way of ended attempts from the broker to the database: a chore of the relay.

Entries are copied, and then removed. Whoever dies in between leaves entries that are known, and are only removed.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.db import DataError, connection, transaction

from .. import steps
from ..broker.store import MessageStore
from ..logs import get_logger
from ..turns import takes_turn
from .models import JobRun
from .note import runs_of

STREAM: Final = "runs"
PORTION: Final = 100  # entries that are read, written and removed at once; each has up to 16 attempts
NOT_GIVEN: Final = ("id", "written_at")  # the database says these

log = get_logger(__name__)


class Archiver:
    """One relay's work on the stream. Raises redis.RedisError and django.db.Error."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store
        self.unreadable = 0  # notes that were none of ours

    def work(self) -> bool:
        """Archive a portion. Returns whether there may be more to do at once."""
        stream = self._store.key(STREAM)
        entries = self._store.connections.call("XRANGE", stream, "-", "+", "COUNT", PORTION)
        if not entries:
            return False
        if not write(self._runs(entries)):
            return False
        steps.reached("runs.copied", count=len(entries))
        self._store.connections.call("XDEL", stream, *(entry_id for entry_id, _ in entries))
        return len(entries) == PORTION

    def _runs(self, entries: Sequence[Any]) -> list[JobRun]:
        read = [one for entry_id, fields in entries for one in runs_of(entry_id, fields)]
        found = [one for one in read if isinstance(one, JobRun)]
        unreadable = len(read) - len(found)
        if unreadable:
            self.unreadable += unreadable
            log.error("runs.unreadable", count=unreadable)
        return found


def write(runs: Sequence[JobRun]) -> bool:
    """Write those that are not there yet. False: another relay is doing that just now.

    What the database refuses is left out, so that it holds up nothing else.
    """
    try:
        return _write(runs)
    except DataError:
        if len(runs) == 1:
            log.exception("runs.refused", key=runs[0].key)
            return True
        return all(write([run]) for run in runs)


def _write(runs: Sequence[JobRun]) -> bool:
    with transaction.atomic():
        if not takes_turn("bgjobs.runs"):
            return False
        with connection.cursor() as cursor:  # a third of the time that `bulk_create` takes
            cursor.execute(_statement(), {"runs": _as_json(runs)})
    return True


@cache
def _columns() -> tuple[str, ...]:
    return tuple(str(field.column) for field in JobRun._meta.concrete_fields if field.column not in NOT_GIVEN)  # noqa: SLF001 - public by Django's documentation


@cache
def _statement() -> str:
    text = (Path(__file__).parent / "write.sql").read_text()
    return text.replace("{columns}", ", ".join(f'"{column}"' for column in _columns()))


def _as_json(runs: Sequence[JobRun]) -> str:
    return json.dumps([{column: getattr(run, column) for column in _columns()} for run in runs], default=_as_text)


def _as_text(value: datetime) -> str:
    return value.isoformat()
