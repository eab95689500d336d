"""A helpdesk, and its jobs run in process.

Pytest reads this file before Django is set up when it is given this folder, so models are imported in the fixtures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import redis

from apps.core.redis_client import connect
from apps.core.testing import run_jobs

if TYPE_CHECKING:
    from django.core.mail import EmailMessage

    from .desk import Desk

__all__ = ["run_jobs"]


@pytest.fixture
def desk(db: None) -> Desk:
    from .desk import Desk

    return Desk()


@pytest.fixture
def sweep() -> Callable[[datetime], dict[str, int]]:
    """Runs one whole sweep at an instant; returns what it counted, without zeros."""
    from apps.helpdesk.escalation import escalate_due

    from .desk import counted

    def run(now: datetime) -> dict[str, int]:
        outcome = escalate_due(now=now, budget_seconds=3600)
        assert outcome.errors == []
        return counted(outcome)

    return run


@pytest.fixture
def mails_of(
    run_jobs: Callable[[], list[Any]], mailoutbox: list[EmailMessage]
) -> Callable[[Callable[[], Any]], list[EmailMessage]]:
    """Does something, runs the jobs that it has enqueued, and returns the mails that they sent.

    What was enqueued before is run before it, and its mails are forgotten.
    """

    def run(act: Callable[[], Any]) -> list[EmailMessage]:
        run_jobs()
        mailoutbox.clear()
        act()
        for result in run_jobs():
            result.get()
        return list(mailoutbox)

    return run


@pytest.fixture
def broker(valkey_url: str) -> Iterator[redis.Redis[Any]]:
    """The test run's broker with empty queues, before and after."""
    queues = ("critical", "high_priority", "email")
    with connect(valkey_url) as client:
        client.delete(*queues)
        yield client
        client.delete(*queues)
