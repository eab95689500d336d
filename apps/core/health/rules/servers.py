"""The broker's server, and PostgreSQL with the outbox."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from ...durations import in_words
from ..problem import Problem
from ..snapshot import Snapshot
from ..words import clock, some

MEMORY_ALERT: Final = 0.8  # of what the server may use
CONNECTIONS_ALERT: Final = 0.9  # of what PostgreSQL allows
LATE: Final = 5.0  # seconds after which a relay, had there been one, would have published a row or removed it


def of_servers(snapshot: Snapshot) -> Iterator[Problem]:
    yield from _of_broker(snapshot)
    yield from _of_memory(snapshot)
    yield from _of_database(snapshot)
    yield from _of_outbox(snapshot)


def _of_broker(snapshot: Snapshot) -> Iterator[Problem]:
    status = snapshot.broker
    if status.unreachable:
        yield Problem(
            code="server_unreachable",
            severity="critical",
            message="The broker cannot be asked",
            cause=status.unreachable,
            hint="Start the server, or correct BROKER_URL. Workers wait for it, and nothing is lost meanwhile.",
        )
    if status.refused:
        yield Problem(
            code="server_refuses_writes",
            severity="critical",
            message="The broker takes no writes, so no job can start",
            cause=status.refused,
            hint="Give it memory or disk, or point BROKER_URL at the master. Workers go on by themselves.",
        )
    if "store" in snapshot.unknown:
        yield Problem(
            code="store_unreachable",
            severity="critical",
            message="The server of idempotency keys and breakers cannot be asked",
            cause=snapshot.unknown["store"],
            hint="Start it, or correct store_url in BGJOBS. Idempotent jobs wait for it.",
        )


def _of_memory(snapshot: Snapshot) -> Iterator[Problem]:
    facts = snapshot.broker.facts
    ratio = facts.memory_used_ratio if facts else None
    if ratio is not None and ratio >= MEMORY_ALERT:
        yield Problem(
            code="memory_high",
            severity="warning",
            message=f"The broker has used {ratio:.0%} of its memory; at 100 % it takes no jobs",
            hint="Raise maxmemory, or start workers for the longest queue.",
        )
    if facts and facts.evicted_keys:
        yield Problem(
            code="evicted_keys",
            severity="warning",
            message=f"The broker has thrown {some(facts.evicted_keys, 'key', 'keys')} away since it started: "
            "jobs may be lost",
            hint="Set maxmemory-policy noeviction, and raise maxmemory.",
        )


def _of_database(snapshot: Snapshot) -> Iterator[Problem]:
    if snapshot.database is None:
        yield Problem(
            code="database_unreachable",
            severity="critical",
            message="The database does not answer, so jobs in transactions and durable jobs cannot be enqueued",
            cause=snapshot.unknown.get("database", ""),
            hint="Start it, or correct DATABASE_URL. Rows that are written already stay and are published later.",
        )
    elif snapshot.database.connections_used >= CONNECTIONS_ALERT * snapshot.database.connections_max:
        yield Problem(
            code="connections_high",
            severity="warning",
            message=f"{snapshot.database.connections_used} of PostgreSQL's {snapshot.database.connections_max} "
            "connections are in use",
            hint="Raise max_connections, or run fewer processes; without a connection jobs fail.",
        )


def _of_outbox(snapshot: Snapshot) -> Iterator[Problem]:
    seen = snapshot.outbox
    if seen is None or seen.oldest_age_seconds is None or seen.oldest_age_seconds <= LATE:
        return
    since = snapshot.at - timedelta(seconds=seen.oldest_age_seconds)
    yield Problem(
        code="outbox_waits",
        severity="critical",
        since=since,
        message=f"{some(seen.pending, 'row of the outbox has', 'rows of the outbox have')} waited for a relay "
        f"since {clock(since, snapshot.at)} "
        f"(the oldest {in_words(seen.oldest_age_seconds)}); jobs may be missing on the broker",
        cause=_why_unpublished(snapshot),
        hint="Start a beat, or `manage.py jobs relay`."
        if not snapshot.broker.unreachable
        else "Start the broker; a relay publishes them then.",
    )


def _why_unpublished(snapshot: Snapshot) -> str:
    if snapshot.broker.unreachable:
        return "the broker cannot be asked"
    if snapshot.broker.refused:
        return "the broker takes no writes"
    return "no relay runs" if snapshot.beats == () else "no relay runs, or none reaches broker and database"
