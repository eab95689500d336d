"""A firm, a folder for its reports, and the broker's queues.

Models are imported in the fixtures: pytest may load this file before Django is set up.
"""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.core.redis_client import connect

QUEUES = ("reports", "email", "maintenance")


@pytest.fixture(autouse=True)
def reports_root(tmp_path: Path, settings: Any) -> Path:
    settings.REPORTS_ROOT = tmp_path / "reports"
    return settings.REPORTS_ROOT


@pytest.fixture
def firm(db: None) -> Any:
    from .firm import Firm

    return Firm()


@pytest.fixture
def queued(valkey_url: str) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """`queued("email")`: the arguments of the jobs in a queue of the test run's own broker, oldest first."""

    def arguments(queue: str) -> list[dict[str, Any]]:
        messages = [json.loads(text) for text in reversed(client.lrange(queue, 0, -1))]
        return [
            {
                "task": message["headers"]["task"],
                "tenant": message["headers"].get("bgjobs_tenant"),
                **json.loads(base64.b64decode(message["body"]))[1],
            }
            for message in messages
        ]

    with connect(valkey_url) as client:
        client.delete(*QUEUES)
        yield arguments
        client.delete(*QUEUES)
