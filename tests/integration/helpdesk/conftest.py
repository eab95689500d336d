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

if TYPE_CHECKING:
    from django.core.mail import EmailMessage

    from .desk import Desk


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
def eager() -> Iterator[None]:
    """Jobs run where they are enqueued."""
    from intelliwiz_config import celery_app

    celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = False


@pytest.fixture
def after_commit(
    eager: None, django_capture_on_commit_callbacks: Any, mailoutbox: list[EmailMessage]
) -> Callable[[Callable[[], Any]], list[EmailMessage]]:
    """Does something, runs the jobs that wait for its commit, and returns the mails that they sent."""

    def run(act: Callable[[], Any]) -> list[EmailMessage]:
        mailoutbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            act()
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
