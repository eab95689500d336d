"""Tasks that move an amount between two rows, and ones that only say that they ran."""

import os
import signal
from typing import Any

from celery import shared_task
from django.contrib.auth import get_user_model

from apps.core import steps
from apps.core.tasks import BaseTask, IdempotentTask

from ..workers import see

KILLED_AT = "TEST_KILLED_AT"  # "step:times": the process is killed when it reaches the step for the n-th time


def move(source: str, target: str, amount: int) -> None:
    """Accounts are users, and their balances last names: a table of the test's own would need a migration."""
    _add(source, -amount)
    _add(target, amount)


def _add(name: str, amount: int) -> None:
    users = get_user_model()._default_manager
    row = users.select_for_update().get(username=name)
    row.last_name = str(int(row.last_name) + amount)
    row.save(update_fields=["last_name"])


@shared_task(base=BaseTask, name="test.plain", queue="high_priority")
def plain(self: BaseTask, value: Any = None) -> Any:
    see({"task": self.name, "job": self.request.id, "value": value})
    return value


@shared_task(base=IdempotentTask, name="test.unique", queue="high_priority", unique_on_enqueue=True)
def unique(self: IdempotentTask, value: Any = None) -> Any:
    see({"task": self.name, "job": self.request.id, "value": value})
    return value


@shared_task(base=IdempotentTask, name="test.pay", queue="high_priority", durable=True, default_retry_delay=0.1)
def pay(self: IdempotentTask, number: int, amount: int, fail: int = 0) -> int:
    see({"task": self.name, "job": self.request.id, "number": number, "attempt": self.request.retries})
    move("bank", "shop", amount)
    plain.delay(number)
    if self.request.retries < fail:
        raise OSError("not this time")
    return number


@shared_task(base=IdempotentTask, name="test.pay_later", queue="high_priority", durable=True)
def pay_later(self: IdempotentTask, amount: int) -> str:
    see({"task": self.name, "job": self.request.id, "attempt": self.request.retries})
    move("bank", "shop", amount)
    if self.request.retries == 0:
        self.retry(countdown=0.1)
    return "paid"


@shared_task(base=IdempotentTask, name="test.pay_hesitantly", queue="high_priority", durable=True)
def pay_hesitantly(self: IdempotentTask) -> None:
    self.retry(throw=False)


def _killed_at(wanted: str) -> None:
    name, _, times = wanted.partition(":")
    left = [int(times or 1)]

    def observer(*, step: str, **_: Any) -> None:
        if step == name:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    steps.observe(observer)


if KILLED_AT in os.environ:
    _killed_at(os.environ[KILLED_AT])
