"""Runs made for a test, without jobs that ran."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.core.runs.models import JobRun
from apps.core.runs.terms import terms_of


def made(event: str = "succeeded", *, ago: float = 60, **facts: Any) -> JobRun:
    """Not saved; it ended `ago` seconds before now."""
    ended = datetime.now(UTC) - timedelta(seconds=ago)
    usual = {
        "key": f"test {uuid.uuid4()}",
        "job": str(uuid.uuid4()),
        "task": "send_ticket_email",
        "queue": "email",
        "attempt": 1,
        "ended_at": ended,
        "started_at": ended - timedelta(seconds=2),
        "ready_at": ended - timedelta(seconds=3),
        "wait_seconds": 1.0,
        "run_seconds": 2.0,
        "worker": "email@host",
        "pid": 7,
    }
    run = JobRun(event=event, **{**usual, **facts})
    run.terms = terms_of(run.args, run.kwargs)
    return run


def saved(*args: Any, **facts: Any) -> JobRun:
    run = made(*args, **facts)
    run.save()
    return run
