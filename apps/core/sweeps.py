"""Sweeps: many rows, each in a transaction of its own, within a time budget.

One bad row costs one row: it is reported by id and reason, and the rest goes on.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, transaction

from .logs import redact

BATCH = 200  # rows that one selecting query names
MAX_ERRORS = 100  # errors listed one by one; further ones are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOutcome:
    counts: Counter[str]  # what happened, by name
    errors: list[dict[str, Any]]  # {"id", "reason"} of rows that failed, MAX_ERRORS at most
    resume_after: int | None  # the id to continue behind; None when the sweep is complete


def sweep(
    *,
    select: Callable[[int, int], Sequence[int]],
    handle: Callable[[int], Counter[str]],
    after: int = 0,
    budget_seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> SweepOutcome:
    """Handle every row that `select` names, until none is left or the budget is spent; one row at least.

    `select(after, limit)` returns at most `limit` ids above `after`, ascending. `handle(id)` runs in a transaction
    of its own: it locks the row with SKIP LOCKED, looks again whether the work is still due, and returns what it
    counted. Raises OperationalError, InterfaceError and SoftTimeLimitExceeded: these are no fault of a row.
    """
    counts: Counter[str] = Counter()
    errors: list[dict[str, Any]] = []
    deadline = clock() + budget_seconds
    while batch := select(after, BATCH):
        for row_id in batch:
            counts["found"] += 1
            try:
                with transaction.atomic():
                    counted = handle(row_id)
            except (OperationalError, InterfaceError, SoftTimeLimitExceeded):
                raise
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one row must not stop the others
                counts["failed"] += 1
                if len(errors) < MAX_ERRORS:
                    errors.append({"id": row_id, "reason": redact(f"{type(error).__name__}: {error}")})
            else:
                counts += counted  # only what was committed counts
            after = row_id
            # Looked at behind a row, so that every portion gets on, however long its selection took.
            if clock() >= deadline:
                return SweepOutcome(counts=counts, errors=errors, resume_after=after)
    return SweepOutcome(counts=counts, errors=errors, resume_after=None)
