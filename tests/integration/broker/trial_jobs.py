"""Tasks that are watched while workers, connections and servers die."""

import builtins
import os
import signal
import time
from typing import Any

from celery import shared_task
from celery.exceptions import Reject

from apps.core.tasks import BaseTask

from .trial import QUEUE, Trial, note


@shared_task(base=BaseTask, name="test.trial.work", queue=QUEUE)
def work(self: BaseTask, number: Any, seconds: float = 0.0) -> None:
    headers = self.request.headers or {}
    note("start", number, worker=self.request.hostname, job=self.request.id, ready_at=headers.get("bgjobs_ready_at"))
    time.sleep(seconds)
    note("end", number, worker=self.request.hostname, job=self.request.id)


@shared_task(base=BaseTask, name="test.trial.limited", queue=QUEUE, rate_limit="1/m")
def limited(self: BaseTask, number: Any) -> None:
    note("start", number, worker=self.request.hostname)
    note("end", number, worker=self.request.hostname)


@shared_task(base=BaseTask, name="test.trial.kill_itself", queue=QUEUE)
def kill_itself(self: BaseTask, number: Any) -> None:
    note("start", number)
    time.sleep(0.1)  # for its neighbours to have started
    os.kill(os.getpid(), signal.SIGKILL)


@shared_task(base=BaseTask, name="test.trial.reject", queue=QUEUE)
def reject(self: BaseTask, number: Any, requeue: bool) -> None:
    note("start", number)
    raise Reject("not for me", requeue=requeue)


@shared_task(base=BaseTask, name="test.trial.endless", queue=QUEUE, soft_time_limit=None, time_limit=1)
def endless(self: BaseTask, number: Any) -> None:
    note("start", number)
    while True:
        time.sleep(60)


@shared_task(base=BaseTask, name="test.trial.again", queue=QUEUE)
def again(self: BaseTask, number: Any, countdown: float) -> None:
    headers = self.request.headers or {}
    note("start", number, attempt=self.request.retries, ready_at=headers.get("bgjobs_ready_at"))
    if self.request.retries == 0:
        note("retry", number)
        raise self.retry(countdown=countdown)


@shared_task(base=BaseTask, name="test.trial.long_at_first", queue=QUEUE)
def long_at_first(self: BaseTask, number: Any) -> None:
    """Ends only where it has been started before."""
    is_first = Trial.of_environment().counts()[number] == 0
    note("start", number, worker=self.request.hostname)
    if is_first:
        time.sleep(100)
    note("end", number, worker=self.request.hostname)


@shared_task(base=BaseTask, name="test.trial.fail", queue=QUEUE, max_retries=0)
def fail(self: BaseTask, error: str) -> None:
    note("start", error)
    raise getattr(builtins, error)
