"""The job of a chaos run."""

import time

from celery import shared_task

from apps.core.tasks import IdempotentTask

from . import journal


# Without time limits, which a pool of threads cannot enforce.
@shared_task(
    base=IdempotentTask,
    name="chaos.job",
    ignore_result=True,
    soft_time_limit=None,
    time_limit=None,
    idempotency_key=lambda number, seconds: f"chaos-{number}",
)
def job(number: int, seconds: float) -> None:
    journal.write("start", number)
    time.sleep(seconds)
    journal.write("end", number)
