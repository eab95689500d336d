"""Idempotent tasks for tests with real workers."""

import os
import time
from typing import Any

from celery import shared_task

from apps.core.tasks import IdempotentTask

from ..workers import see, server


def report(task: IdempotentTask, **details: Any) -> None:
    see({"task": task.name, "job": task.request.id, "pid": os.getpid(), "fence": task.fencing_token, **details})


def hold() -> None:
    """Occupies the slot until the test lets it go."""
    server().brpop("test:release", timeout=120)


@shared_task(base=IdempotentTask, name="test.once")
def once(self: IdempotentTask, value: Any = None, other: str = "default") -> Any:
    report(self, value=value)
    return value


@shared_task(base=IdempotentTask, name="test.kind_of")
def kind_of(self: IdempotentTask, value: Any) -> str:
    report(self)
    return type(value).__name__


@shared_task(base=IdempotentTask, name="test.once_per_tenant", idempotency_scope="tenant")
def once_per_tenant(self: IdempotentTask) -> None:
    report(self)


@shared_task(base=IdempotentTask, name="test.crowd", on_duplicate="wait")
def crowd(self: IdempotentTask) -> int:
    report(self)
    time.sleep(0.5)
    return os.getpid()


@shared_task(base=IdempotentTask, name="test.held_skip", on_duplicate="skip")
def held_skip(self: IdempotentTask) -> str:
    report(self)
    hold()
    return "held"


@shared_task(base=IdempotentTask, name="test.held_wait", on_duplicate="wait")
def held_wait(self: IdempotentTask) -> str:
    report(self, started=time.time())
    hold()
    return f"by {os.getpid()}"


@shared_task(base=IdempotentTask, name="test.held_raise", on_duplicate="raise")
def held_raise(self: IdempotentTask) -> None:
    report(self)
    hold()


@shared_task(base=IdempotentTask, name="test.long", on_duplicate="wait")
def long_job(self: IdempotentTask, seconds: float) -> str:
    report(self)
    time.sleep(seconds)
    return "ended"


@shared_task(base=IdempotentTask, name="test.third_time", default_retry_delay=1)
def third_time(self: IdempotentTask) -> str:
    report(self, attempt=self.request.retries)
    if self.request.retries < 2:
        raise OSError("not yet")
    return "done"


@shared_task(base=IdempotentTask, name="test.failing")
def failing(self: IdempotentTask) -> None:
    report(self)
    raise LookupError("no site 42")


@shared_task(base=IdempotentTask, name="test.large")
def large(self: IdempotentTask, size: int) -> str:
    report(self)
    return "x" * size


# fmt: off
@shared_task(base=IdempotentTask)
def my_task(self):  # type: ignore[no-untyped-def]
    self.idempotency_ttl = 3600  # 1 hour
    self.idempotency_scope = 'global'  # or 'user', 'tenant'
    # Task logic...
    report(self, ttl=self.idempotency_ttl, scope=self.idempotency_scope)
# fmt: on


@shared_task(base=IdempotentTask)
def my_other_task(self):  # type: ignore[no-untyped-def]
    self.idempotency_ttl = 60
    self.idempotency_scope = "tenant"
    report(self, ttl=self.idempotency_ttl, scope=self.idempotency_scope)


@shared_task(base=IdempotentTask)
def plain_task(self):  # type: ignore[no-untyped-def]
    report(self, ttl=self.idempotency_ttl, scope=self.idempotency_scope)
