"""Jobs that get into each of the situations that the runbook knows."""

import os
import signal
from typing import Any, Final

from celery import shared_task

from apps.core.tasks import BaseTask, IdempotentTask

from ..workers import see, server

NEW: Final = "test.runbook.new"
MENDED: Final = "test:mended"  # with this key on the server, what fails no longer does
STARTED: Final = "test:started"
OPTIONS: Final[dict[str, Any]] = {"ignore_result": True}


def report(task: BaseTask) -> None:
    see({"task": task.name, "job": task.request.id})


def hold() -> None:
    """Occupies the slot until the test lets it go."""
    server().brpop("test:release", timeout=60)


@shared_task(base=BaseTask, name="test.runbook.nothing", queue="critical", **OPTIONS)
def nothing(self: BaseTask) -> None:
    report(self)


@shared_task(base=BaseTask, name="test.runbook.long", queue="high_priority", **OPTIONS)
def long(self: BaseTask) -> None:
    report(self)
    hold()


@shared_task(base=BaseTask, name="test.runbook.long_at_first", queue="ml_training", **OPTIONS)
def long_at_first(self: BaseTask) -> None:
    """Ends where it has been started before."""
    report(self)
    if server().incr(STARTED) == 1:
        hold()


@shared_task(base=BaseTask, name="test.runbook.bad", queue="reports", **OPTIONS)
def bad(self: BaseTask) -> None:
    if not server().exists(MENDED):
        raise ValueError("the template is broken")
    report(self)


@shared_task(base=BaseTask, name="test.runbook.deadly", queue="reports", max_process_deaths=1, **OPTIONS)
def deadly() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task(base=BaseTask, name="test.runbook.flaky", queue="external_api", max_retries=1000, **OPTIONS)
def flaky(self: BaseTask) -> None:
    if not server().exists(MENDED):
        raise self.retry(exc=ConnectionError("the bank is down"), countdown=0.1)
    report(self)


@shared_task(base=IdempotentTask, name="test.runbook.one_at_a_time", queue="high_priority", on_duplicate="wait")
def one_at_a_time(self: IdempotentTask, number: int) -> None:
    report(self)
    hold()
