"""Tasks for tests with real workers: they report what they see to a list in Valkey."""

import os
from typing import Any

from celery import shared_task

from apps.core import context
from apps.core.tasks import BaseTask, ReportTask

from ..workers import see, server


def report(task: BaseTask, **details: Any) -> None:
    current = context.current()
    headers = task.request.headers or {}
    line = {
        "task": task.name,
        "job": task.request.id,
        "attempt": task.request.retries,
        "queue": task.request.delivery_info["routing_key"],
        "tenant": current.tenant_id,
        "user": current.user_id,
        "correlation": current.correlation_id,
        "firing": current.firing,
        "ready_at": headers.get("bgjobs_ready_at"),
        **details,
    }
    see(line)


@shared_task(base=BaseTask, name="test.echo", queue="high_priority")
def echo(self: BaseTask, value: Any = None) -> Any:
    report(self, value=value)
    return value


@shared_task(base=BaseTask, name="test.parent", queue="critical")
def parent(self: BaseTask) -> None:
    report(self)
    echo.delay("child")


@shared_task(base=BaseTask, name="test.flaky", queue="high_priority", default_retry_delay=1)
def flaky(self: BaseTask, failures: int) -> str:
    report(self)
    if self.request.retries < failures:
        raise OSError("mail to ann@example.com failed")
    return "done"


@shared_task(base=BaseTask, name="test.urgent", queue="critical")
def urgent(self: BaseTask) -> None:
    report(self)


@shared_task(base=ReportTask, name="test.held_report")
def held_report(self: ReportTask) -> None:
    """Occupies its slot until the test lets it go."""
    report(self)
    server().brpop("test:release", timeout=60)


@shared_task(base=ReportTask, name="test.endless_report", soft_time_limit=1, time_limit=30)
def endless_report(self: ReportTask) -> None:
    path = self.temporary_file(".pdf")
    self.progress(1, 3, "first part")
    report(self, path=str(path), pid=os.getpid())
    server().brpop("test:never", timeout=60)
