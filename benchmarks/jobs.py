"""Jobs that the benchmarks enqueue."""

import os
import time
from functools import cache
from typing import Any

import redis
from celery import shared_task

from apps.core.context import READY_AT_HEADER
from apps.core.redis_client import connect
from apps.core.tasks import BaseTask, ReportTask

WAITS = "benchmark:waits"  # seconds that each urgent job waited


@cache
def server() -> redis.Redis:
    return connect(os.environ["BROKER_URL"])


@shared_task(base=ReportTask, name="benchmark.report", ignore_result=True)
def report(seconds: float) -> None:
    time.sleep(seconds)


@shared_task(base=BaseTask, name="benchmark.urgent", queue="critical", ignore_result=True)
def urgent(self: BaseTask) -> None:
    headers: dict[str, Any] = self.request.headers or {}
    waited = time.time() - headers[READY_AT_HEADER]
    server().rpush(WAITS, waited)
