"""The outbox in `manage.py jobs status`."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from django.db import Error as DatabaseError

from ..broker.problems import Problem
from ..outbox.look import OutboxLook, look
from .durations import in_words

LATE: Final = 5.0  # seconds after which a relay, had there been one, would have published a row or removed it


def read_outbox() -> OutboxLook | None:
    """None where the database does not answer."""
    try:
        return look()
    except DatabaseError:
        return None


def outbox_facts(seen: OutboxLook | None) -> dict[str, Any] | None:
    return None if seen is None else asdict(seen)


def outbox_problems(seen: OutboxLook | None) -> Iterator[Problem]:
    if seen is None:
        yield Problem(
            code="database_unreachable",
            severity="critical",
            message="The database does not answer: jobs in transactions and durable jobs cannot be enqueued.",
            hint="Start it, or correct DATABASE_URL. Rows that are written already stay and are published later.",
        )
    elif seen.oldest_age_seconds is not None and seen.oldest_age_seconds > LATE:
        yield Problem(
            code="outbox_waits",
            severity="critical",
            message=f"{seen.pending} rows of the outbox wait for a relay, the oldest since "
            f"{in_words(seen.oldest_age_seconds)}: their jobs may not be on the broker.",
            hint="Is the broker up, and is beat or `manage.py jobs relay` running?",
        )


def outbox_parts(seen: OutboxLook | None) -> list[str]:
    if seen is None:
        return ["outbox: unknown"]
    return [f"outbox: {seen.pending} to publish, {seen.durable} durable jobs under way"]
