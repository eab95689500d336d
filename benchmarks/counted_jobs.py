"""Jobs of the benchmark of counting. BENCHMARK_COUNTS=no: nothing is noted of an attempt, so nothing is counted."""

import os

from celery import shared_task
from celery.worker.request import Request

from apps.core.broker import request, run_notes
from apps.core.tasks import BaseTask, IdempotentTask

QUEUE = "reports"

if os.environ.get("BENCHMARK_COUNTS") == "no":  # for this process only
    setattr(run_notes, "of_request", lambda *_, **__: "")  # noqa: B010
    setattr(request.LeasedRequest, "on_accepted", Request.on_accepted)  # noqa: B010


@shared_task(base=BaseTask, name="benchmark.counted.nothing", queue=QUEUE, ignore_result=True)
def nothing(number: int) -> None:
    """Does nothing."""


@shared_task(base=IdempotentTask, name="benchmark.counted.once", queue=QUEUE, ignore_result=True)
def once(number: int) -> None:
    """Does nothing, once."""
