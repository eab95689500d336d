"""A Celery application without Django, models or logs, so that what is measured is the broker alone.

BENCHMARK_BROKER names the broker: a redis:// URL runs Celery as it comes, a leased:// one on the engine's transport.
"""

import os
import time
from pathlib import Path
from typing import Any

import django.conf
from celery import Celery, Task

URL = os.environ.get("BENCHMARK_BROKER", "memory://")
IS_LEASED = URL.startswith("leased")

if IS_LEASED:
    if not django.conf.settings.configured:
        django.conf.settings.configure(USE_TZ=True)
    from apps.core import broker
    from apps.core.broker import run_times

    broker.register()
    if os.environ.get("BENCHMARK_READ_AHEAD") == "no":
        run_times.MOST_AHEAD = 0  # type: ignore[misc]
    if os.environ.get("BENCHMARK_COUNTS") == "no":  # nothing is noted of an attempt, so the server counts nothing
        from celery.worker.request import Request

        from apps.core.broker import request, run_notes

        setattr(run_notes, "of_request", lambda *_, **__: "")  # noqa: B010 - for this process only
        setattr(request.LeasedRequest, "on_accepted", Request.on_accepted)  # noqa: B010


class BareTask(Task):  # type: ignore[type-arg]
    """Celery's task; on the engine's transport, with its seams."""

    abstract = True
    max_process_deaths = 3
    max_deliveries = 10
    if IS_LEASED:
        Request = "apps.core.broker.request:LeasedRequest"
        Strategy = "apps.core.broker.request:strategy"


app: Any = Celery("bare", broker=URL, task_cls=BareTask)
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_default_queue="jobs",
    worker_prefetch_multiplier=int(os.environ.get("BENCHMARK_PREFETCH", "1")),
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)
if IS_LEASED:
    app.conf.worker_consumer = "apps.core.broker.consumer:LeasedConsumer"


@app.task(name="noop")  # type: ignore[untyped-decorator]
def noop() -> None:
    pass


@app.task(name="pause")  # type: ignore[untyped-decorator]
def pause(seconds: float) -> None:
    time.sleep(seconds)


@app.task(name="note_wait")  # type: ignore[untyped-decorator]
def note_wait(enqueued_at: float) -> None:
    """Appends the seconds since `enqueued_at` to the file that BENCHMARK_WAITS names."""
    waited = time.time() - enqueued_at
    with Path(os.environ["BENCHMARK_WAITS"]).open("a") as file:
        file.write(f"{waited}\n")
