"""A company, the sweep and the broker's queues, for the tests of operations.

Models are imported in the fixtures: pytest may load this file before Django is set up.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from apps.core.redis_client import connect

QUEUES = ("critical", "email", "high_priority", "maintenance")


@pytest.fixture
def company(db: None) -> Any:
    from .company import Company

    return Company()


@pytest.fixture
def run_sweep() -> Any:
    from .sweep_run import SweepRun

    return SweepRun


@pytest.fixture
def smtp(settings: Any) -> Iterator[Any]:
    """A mail server of the test's own, which Django's mails go to."""
    from .mail_server import MailServer

    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def queued(valkey_url: str) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """`queued("email")`: the messages in a queue of the test run's own broker, oldest first."""
    with connect(valkey_url) as client:
        client.delete(*QUEUES)
        yield lambda queue: [json.loads(message) for message in reversed(client.lrange(queue, 0, -1))]
        client.delete(*QUEUES)
