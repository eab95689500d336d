"""Tasks for tests of the broker. They report to the test run's own server, whichever server brought the job."""

import json
import os
import time
from typing import Any

from celery import shared_task

from apps.core.redis_client import connect
from apps.core.tasks import BaseTask

from ..workers import SEEN


def own_server() -> Any:
    return connect(os.environ.get("SEEN_URL") or os.environ["BROKER_URL"])


def report(task: BaseTask, value: Any) -> None:
    headers = task.request.headers or {}
    line = {
        "value": value,
        "job": task.request.id,
        "attempt": task.request.retries,
        "worker": task.request.hostname,
        "ready_at": headers.get("bgjobs_ready_at"),
    }
    own_server().rpush(SEEN, json.dumps(line))


def wait_for_release() -> None:
    client, until = own_server(), time.monotonic() + 60
    while not client.brpop("test:release", timeout=1) and time.monotonic() < until:
        pass


@shared_task(base=BaseTask, name="test.broker.mark", queue="high_priority")
def mark(self: BaseTask, value: Any = None) -> Any:
    report(self, value)
    return value


@shared_task(base=BaseTask, name="test.broker.add", queue="high_priority")
def add(self: BaseTask, *numbers: Any) -> int:
    return sum(sum(number) if isinstance(number, list) else number for number in numbers)


@shared_task(base=BaseTask, name="test.broker.again", queue="high_priority")
def again(self: BaseTask, times: int) -> int:
    report(self, times)
    if self.request.retries < times:
        raise self.retry(countdown=0.5)
    return self.request.retries


@shared_task(base=BaseTask, name="test.broker.hold", queue="high_priority")
def hold(self: BaseTask, value: Any = None) -> Any:
    """Occupies its slot until the test lets it go."""
    report(self, value)
    wait_for_release()
    return value


@shared_task(base=BaseTask, name="test.broker.nap", queue="high_priority")
def nap(self: BaseTask, value: Any, seconds: float) -> Any:
    report(self, value)
    time.sleep(seconds)
    return value


@shared_task(base=BaseTask, name="test.broker.hold_early", queue="high_priority", acks_late=False)
def hold_early(self: BaseTask, value: Any = None) -> Any:
    report(self, value)
    wait_for_release()
    return value


@shared_task(base=BaseTask, name="test.broker.limited", queue="high_priority", rate_limit="2/s")
def limited(self: BaseTask, value: Any = None) -> Any:
    report(self, value)
    return value


def forget_messages(server: Any) -> None:
    """Empties the queue of these tasks, wherever its messages are."""
    keys = [*server.scan_iter("high_priority*"), *server.scan_iter("bgjobs:delayed:*")]
    server.delete("bgjobs:paused", "bgjobs:seen", "test:stock", "unacked", "unacked_index", *keys)
