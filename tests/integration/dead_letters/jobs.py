"""Tasks that come to every kind of end."""

import os
import signal
import time
from typing import Any

from celery import shared_task
from celery.exceptions import Reject

from apps.core.exceptions import RateLimitedError
from apps.core.tasks import BaseTask, IdempotentTask

from ..workers import see

QUEUE = "high_priority"
OPTIONS: dict[str, Any] = {"queue": QUEUE, "max_retries": 0}


@shared_task(base=BaseTask, name="test.dl.work", **OPTIONS)
def work(self: BaseTask, number: Any, label: str = "") -> None:
    see({"number": number, "label": label, "job": self.request.id, "retries": self.request.retries})


@shared_task(base=BaseTask, name="test.dl.permanent", **OPTIONS)
def permanent(number: int, password: str = "") -> None:
    raise ValueError(f"number {number} of ann@example.com is wrong, {password}")


@shared_task(base=BaseTask, name="test.dl.transient", queue=QUEUE, max_retries=1, retry_backoff=0.1)
def transient() -> None:
    raise OSError("gone")


@shared_task(base=BaseTask, name="test.dl.rate_limited", **OPTIONS)
def rate_limited() -> None:
    raise RateLimitedError("slower")


@shared_task(base=BaseTask, name="test.dl.late", soft_time_limit=1, time_limit=30, **OPTIONS)
def late() -> None:
    time.sleep(20)


@shared_task(base=BaseTask, name="test.dl.too_late", soft_time_limit=None, time_limit=1, **OPTIONS)
def too_late() -> None:
    time.sleep(20)


@shared_task(base=BaseTask, name="test.dl.deadly", max_process_deaths=1, **OPTIONS)
def deadly() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task(base=BaseTask, name="test.dl.reject", **OPTIONS)
def reject() -> None:
    raise Reject("not for me", requeue=False)


@shared_task(base=BaseTask, name="test.dl.flaky", queue=QUEUE, retry_backoff=0.1)
def flaky(self: BaseTask) -> None:
    if self.request.retries == 0:
        raise OSError("gone for a moment")
    see({"flaky": self.request.id})


@shared_task(base=BaseTask, name="test.dl.early", acks_late=False, **OPTIONS)
def early() -> None:
    raise ValueError("at most once")


class OddError(Exception):
    """It cannot be pickled as it is."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")


@shared_task(base=BaseTask, name="test.dl.odd", **OPTIONS)
def odd() -> None:
    raise OddError(7, "odd")


@shared_task(base=IdempotentTask, name="test.dl.once", idempotency_failure_ttl=600, **OPTIONS)
def once(self: IdempotentTask, number: Any) -> None:
    see({"number": number, "job": self.request.id})
    raise ValueError("once")


@shared_task(base=IdempotentTask, name="test.dl.durable", durable=True, on_duplicate="raise", **OPTIONS)
def durable(self: IdempotentTask, number: Any, fails: bool = True) -> None:
    if fails:
        raise ValueError("durable")
    see({"number": number, "job": self.request.id})


@shared_task(base=BaseTask, name="test.dl.secret", sensitive_args=("password", "card"), **OPTIONS)
def secret(user: str, password: str, *, card: dict[str, Any] | None = None) -> None:
    raise ValueError(f"{user} may not come in with {password} and {card}")
