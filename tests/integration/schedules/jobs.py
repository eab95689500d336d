"""Tasks for tests of the timetable."""

import time
from typing import Any

from celery import shared_task
from celery.exceptions import Reject

from apps.core.tasks import BaseTask, IdempotentTask

from ..workers import see


@shared_task(base=BaseTask, name="test.fired", queue="maintenance")
def fired(self: BaseTask, value: Any = None) -> None:
    see({"job": self.request.id, "firing": self.firing and self.firing.isoformat(), "value": value})
    if value == "child":
        fired.delay("done")


@shared_task(base=BaseTask, name="test.fired_badly", queue="maintenance", default_retry_delay=0.2, max_retries=1)
def fired_badly(self: BaseTask, error: str) -> None:
    see({"job": self.request.id, "attempt": self.request.retries})
    if error == "reject":
        raise Reject("no good", requeue=False)
    raise OSError("once more") if error == "passes" and self.request.retries == 0 else ValueError(error)


@shared_task(base=BaseTask, name="test.passes_at_last", queue="maintenance", default_retry_delay=1, max_retries=1)
def passes_at_last(self: BaseTask) -> None:
    see({"job": self.request.id, "attempt": self.request.retries})
    if self.request.retries == 0:
        raise OSError("not yet")


@shared_task(
    base=IdempotentTask,
    name="test.one_at_a_time",
    queue="maintenance",
    unique_on_enqueue=True,
    idempotency_key="the only one",
)
def one_at_a_time(self: IdempotentTask) -> None:
    """Never runs in a test."""


@shared_task(base=BaseTask, name="test.endless", queue="maintenance", soft_time_limit=None, time_limit=1)
def endless(self: BaseTask) -> None:
    time.sleep(60)
