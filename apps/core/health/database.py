"""What PostgreSQL tells: how it stands itself, and what its tables say."""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self, TypeVar

from django.db import Error as DatabaseError
from django.db import connections, transaction
from django.db.utils import DEFAULT_DB_ALIAS

from ..exceptions import DeclarationError
from ..outbox import look
from ..outbox.look import OutboxLook
from .given_up import GivenUp, read_given_up
from .impatience import cut_off_after, insist_on_an_answer
from .timetable import TimetableLook, read_timetable
from .words import why

# Seconds. What is locked, or takes longer, is not known then.
PATIENCE: Final = 0.5  # for an answer at all, and for one statement
ENOUGH: Final = 0.8  # after which no other part is begun
LONGEST: Final = 1.3  # after which the server counts as one that has fallen silent
FACTS: Final = """
    SELECT current_setting('server_version'), current_setting('max_connections')::int,
        (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
        pg_database_size(current_database())
"""

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    version: str
    connections_used: int
    connections_max: int
    size_bytes: int

    @classmethod
    def read(cls) -> Self:
        """Raises django.db.Error."""
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(FACTS)
            version, most, used, size = cursor.fetchone()
        return cls(version=version.split()[0], connections_used=used, connections_max=most, size_bytes=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLook:
    """What is None is not known; `unknown` says why, under the same names."""

    database: DatabaseFacts | None = None
    outbox: OutboxLook | None = None
    timetable: TimetableLook | None = None
    given_up: GivenUp | None = None
    unknown: dict[str, str] = field(default_factory=dict)


def look_at_database(now: datetime) -> DatabaseLook:
    """All parts in one transaction. One that fails leaves the others alone; never raises django.db.Error."""
    connection = connections[DEFAULT_DB_ALIAS]
    is_ours = not connection.in_atomic_block  # else limits would outlive this look, or end somebody's transaction
    try:
        insist_on_an_answer(connection, PATIENCE)
        with cut_off_after(connection, LONGEST) if is_ours else nullcontext(), transaction.atomic():
            if is_ours:
                _limit()
            return _parts(now, time.monotonic() + ENOUGH if is_ours else math.inf)
    except DatabaseError as error:
        connection.close_if_unusable_or_obsolete()
        return DatabaseLook(unknown={"database": why(error)})


def _parts(now: datetime, until: float) -> DatabaseLook:
    unknown: dict[str, str] = {}

    def part(name: str, read: Callable[[], Read]) -> Read | None:
        if time.monotonic() > until:
            unknown[name] = "the database is too slow"
            return None
        try:
            with transaction.atomic():
                return read()
        except (DatabaseError, DeclarationError) as error:
            unknown[name] = why(error)
            return None

    return DatabaseLook(
        database=part("database", DatabaseFacts.read),
        outbox=part("outbox", look.look),
        timetable=part("timetable", lambda: read_timetable(now)),
        given_up=part("given_up", lambda: read_given_up(now)),
        unknown=unknown,
    )


def _limit() -> None:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(int(PATIENCE * 1000))])
