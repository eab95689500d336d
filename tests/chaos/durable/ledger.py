"""The accounts, who ordered what, and what was done: written by the enqueuer and the jobs, read for the verdict."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import psycopg

from .scenario import ACCOUNTS, OPENING


def make(url: str) -> None:
    """Make the tables and open the accounts."""
    with psycopg.connect(url) as connection:
        connection.execute((Path(__file__).parent / "ledger.sql").read_bytes())
        for name in ACCOUNTS:
            connection.execute("INSERT INTO chaos_account VALUES (%s, %s)", [name, OPENING])


def note_order(job: str, number: int) -> None:
    """In the transaction in which the job is enqueued, so that it is here if and only if that was committed."""
    _execute("INSERT INTO chaos_order VALUES (%s, %s)", job, number)


def has_order(number: int) -> bool:
    """Whether the transaction of an order has been committed."""
    return bool(_execute("SELECT FROM chaos_order WHERE number = %s", number))


def move(source: str, target: str, amount: str) -> None:
    for name in sorted((source, target)):  # in one order, or two jobs could wait for each other
        change = -Decimal(amount) if name == source else Decimal(amount)
        _execute("UPDATE chaos_account SET balance = balance + %s WHERE name = %s", change, name)


def note_transfer(job: str, number: int, child: str, *, durable_child: bool) -> None:
    """In the transaction of the transfer."""
    _execute("INSERT INTO chaos_transfer VALUES (%s, %s, %s, %s)", job, number, child, durable_child)


def note_child(job: str, parent: str) -> None:
    _execute("INSERT INTO chaos_child VALUES (%s, %s)", job, parent)


def _execute(statement: str, *values: Any) -> int:
    """Returns the number of rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A transfer that is in the database. Jobs are numbers, as in the journal."""

    job: int
    number: int
    child: int
    durable_child: bool
    at: float  # seconds since the epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All that is in the database in the end."""

    balances: dict[str, Decimal]
    orders: set[int]  # jobs that were enqueued in a transaction that was committed
    done: Sequence[Done]
    children: Counter[tuple[int, int]]  # child and parent: how often it has run
    outbox: int  # rows
    dead_letters: int

    @classmethod
    def read(cls, url: str) -> Self:
        with psycopg.connect(url) as connection:
            transfers = "SELECT job, number, child, durable_child, extract(epoch FROM at)::float8 FROM chaos_transfer"
            return cls(
                balances=dict(_rows(connection, "SELECT name, balance FROM chaos_account")),
                orders={job.int for (job,) in _rows(connection, "SELECT job FROM chaos_order")},
                done=[
                    Done(job=job.int, number=number, child=child.int, durable_child=durable_child, at=at)
                    for job, number, child, durable_child, at in _rows(connection, transfers)
                ],
                children=Counter(_pairs(connection)),
                outbox=rows_left(connection),
                dead_letters=_rows(connection, "SELECT count(*) FROM bgjobs_deadletter")[0][0],
            )


def rows_left(connection: "psycopg.Connection[Any]") -> int:
    """How many rows the outbox has."""
    return int(_rows(connection, "SELECT count(*) FROM bgjobs_outboxmessage")[0][0])


def _pairs(connection: "psycopg.Connection[Any]") -> list[tuple[int, int]]:
    found: list[tuple[UUID, UUID]] = _rows(connection, "SELECT job, parent FROM chaos_child")
    return [(job.int, parent.int) for job, parent in found]


def _rows(connection: "psycopg.Connection[Any]", statement: str) -> list[Any]:
    return connection.execute(statement).fetchall()  # type: ignore[call-overload,no-any-return]
