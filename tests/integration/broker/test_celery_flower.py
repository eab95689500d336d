"""Flower, a stock monitor, sees workers and jobs through a leased:// URL."""

import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import redis

from ..workers import CELERY, Worker, eventually
from .jobs import mark
from .private_server import HOST, free_port

pytestmark = pytest.mark.slow


def test_flower_shows_workers_and_jobs(worker: Callable[..., Worker], server: redis.Redis) -> None:
    worker("--include=tests.integration.broker.jobs", "--queues=high_priority", "--hostname=seen@test", "-E")
    port = free_port()
    flower = subprocess.Popen(
        [*CELERY, "flower", f"--address={HOST}", f"--port={port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "FLOWER_UNAUTHENTICATED_API": "true"},
    )

    def ask(path: str) -> Any:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/api/{path}", timeout=5) as reply:
                return json.load(reply)
        except (urllib.error.URLError, ConnectionError):
            return None

    try:
        workers = eventually(lambda: (ask("workers?refresh=1") or {}).get("seen@test"))
        assert [queue["name"] for queue in workers["active_queues"]] == ["high_priority"]
        assert workers["stats"]["broker"]["transport"] == "leased"

        job = mark.delay("watched")
        assert job.get(timeout=20) == "watched"
        task = eventually(lambda: done((ask("tasks") or {}).get(job.id)))
        assert (task["name"], task["worker"]) == ("test.broker.mark", "seen@test")
    finally:
        flower.terminate()
        flower.wait(10)


def done(task: dict[str, Any] | None) -> dict[str, Any] | None:
    return task if task and task["state"] == "SUCCESS" else None
