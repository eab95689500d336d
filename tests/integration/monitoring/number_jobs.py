"""Jobs that end in every way, as often as a test says."""

import time

from celery import shared_task

from apps.core.tasks import BaseTask, IdempotentTask

from ..workers import server

QUEUE = "reports"
ENDLESS_QUEUE = "ml_training"


@shared_task(base=BaseTask, name="test.numbers.good", queue=QUEUE, ignore_result=True)
def good(number: int) -> None:
    """Nothing is wrong with it."""


@shared_task(base=BaseTask, name="test.numbers.bad", queue=QUEUE, ignore_result=True)
def bad(number: int) -> None:
    raise ValueError(f"number {number % 3}")


@shared_task(base=BaseTask, name="test.numbers.flaky", queue=QUEUE, ignore_result=True)
def flaky(self: BaseTask, number: int) -> None:
    if self.request.retries == 0:
        raise self.retry(exc=ConnectionError("come again"), countdown=0.05)


@shared_task(base=IdempotentTask, name="test.numbers.once", queue=QUEUE, ignore_result=True)
def once(number: int) -> None:
    """A second job with this number is answered."""


@shared_task(base=BaseTask, name="test.numbers.endless_at_first", queue=ENDLESS_QUEUE, ignore_result=True)
def endless_at_first(number: int) -> None:
    """Ends where `test:killed` says that its first worker is dead."""
    while not server().exists("test:killed"):
        time.sleep(0.05)
