"""Runs as the archive writes them."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from apps.core.runs.models import JobRun
from apps.core.runs.terms import terms_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

_numbers = count()


def a_run(ago: timedelta = timedelta(0), **facts: Any) -> JobRun:
    """Not written yet. It ended so long before NOW."""
    number = next(_numbers)
    made = {
        "key": f"host:1:abc 0-{number}",
        "job": f"job-{number}",
        "task": "send_mail",
        "queue": "email",
        "event": "succeeded",
        "ended_at": NOW - ago,
        **facts,
    }
    return JobRun(**made, terms=terms_of(made.get("args", ""), made.get("kwargs", "")))


def written(*runs: JobRun) -> list[JobRun]:
    return JobRun.objects.bulk_create(runs)
