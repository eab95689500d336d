"""One queue: how long its jobs wait and run, by task, and which of them are next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import redis
from celery import current_app
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.core.broker.configured import is_leased
from apps.core.health.queue_health import QueueHealth
from apps.core.health.queue_numbers import Minute
from apps.core.health.servers import message_store
from apps.core.health.snapshot import Snapshot
from apps.core.logs import redact
from apps.core.metrics import events, reader
from apps.core.metrics.histogram import Histogram
from apps.core.metrics.numbers import Numbers
from apps.core.metrics.windows import Window
from apps.core.queues import QUEUE_BY_NAME, Queue, nearest

from ..access import page
from ..charts import Sparkline, sparkline
from ..looking import look
from ..waiting_jobs import next_of
from .base import nothing, show

SHOWN: Final = 50  # jobs that wait
WINDOWS: Final = (Window.M5, Window.H1, Window.H24, Window.H72)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    name: str
    started: int
    succeeded: int
    failed: int
    retried: int
    wait: Histogram
    run: Histogram
    attainment: float | None  # share of its jobs that started within the queue's SLA; None: none has started


@require_safe
@page
def queue(request: HttpRequest, name: str) -> HttpResponse:
    if name not in QUEUE_BY_NAME:
        return nothing(request, f"There is no queue {name!r}; {nearest(name, QUEUE_BY_NAME)}")
    asked = request.GET.get("window", "")
    window = next((one for one in WINDOWS if one.value == asked), Window.H1)
    now = datetime.now(UTC)
    snapshot = look(now=now).snapshot
    seen = next(one for one in snapshot.queues if one.name == name)
    return show(
        request,
        "monitoring/queue.html",
        title=f"Queue {name}",
        place="changelist",
        queue=QUEUE_BY_NAME[name],
        standing=seen.status,
        window=window,
        windows=WINDOWS,
        now=now,
        shown=SHOWN,
        **_of_broker(seen, window, snapshot),
    )


def _of_broker(seen: QueueHealth, window: Window, snapshot: Snapshot) -> dict[str, Any]:
    """What was counted and what waits; `unknown` says why there is nothing."""
    if not is_leased():
        return {"unknown": "the broker is no leased:// one: nothing is counted, and nobody knows which job is next"}
    if seen.numbers is None:
        return {"unknown": snapshot.unknown.get("broker") or snapshot.unknown.get("numbers", "the numbers")}
    store, queue, minutes = message_store(current_app.conf), seen.queue, seen.numbers.minutes
    try:
        return {
            "minutes": [minute for minute in minutes if minute.started],
            "chart": chart_of(queue, minutes),
            "tasks": task_rows(queue, reader.read(store, window, now=snapshot.at)),
            "waiting": next_of(store, queue.name, SHOWN),
        }
    except redis.RedisError as error:
        return {"unknown": redact(f"{type(error).__name__}: {error}")}


def task_rows(queue: Queue, numbers: Numbers) -> list[TaskRow]:
    """The tasks of the queue, the busiest first."""
    names = [task for task, of_queue in numbers.tasks() if of_queue == queue.name]
    return sorted((_task(queue, name, numbers) for name in names), key=lambda row: (-row.started, row.name))


def _task(queue: Queue, task: str, numbers: Numbers) -> TaskRow:
    count = {
        event: numbers.count(event, queue=queue.name, task=task)
        for event in (events.STARTED, events.SUCCEEDED, events.FAILED, events.RETRIED)
    }
    wait = numbers.histogram("wait", queue=queue.name, task=task)
    return TaskRow(
        name=task,
        started=count[events.STARTED],
        succeeded=count[events.SUCCEEDED],
        failed=count[events.FAILED],
        retried=count[events.RETRIED],
        wait=wait,
        run=numbers.histogram("run", queue=queue.name, task=task),
        attainment=wait.within(queue.sla_seconds) / wait.count if wait.count else None,
    )


def chart_of(queue: Queue, minutes: Sequence[Minute]) -> Sparkline:
    waits = [minute.wait_p95 for minute in minutes]
    late = sum(1 for wait in waits if wait is not None and wait > queue.sla_seconds)
    busy = sum(1 for wait in waits if wait is not None)
    title = (
        f"How long jobs waited in each minute of the last hour (95 % waited no longer), and the SLA of"
        f" {queue.sla_seconds:g} s as a dashed line: above it in {late} of {busy} minutes in which jobs started"
    )
    return sparkline(waits, title=title, guide=queue.sla_seconds, width=600, height=120)
