"""What the outbox adds to an enqueue, beside Celery's own `.delay()`, and how fast the relay is, all in one run.

Goals: in a transaction of 100 enqueues, per job at most 1.6 times a stock `.delay()`, BEGIN and COMMIT aside; the
relay publishes at least 5,000 rows a second.
python -m benchmarks.outbox
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.local import Stack, database
from deploy.local.output import Terminal

TURNS, JOBS_PER_TURN, RELAYED = 30, 100, 20_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.start_servers()
        os.environ |= stack.environment | {"DJANGO_SETTINGS_MODULE": "intelliwiz_config.settings.development"}
        database.make_ready(stack.state_dir, Terminal(None))
        import django

        django.setup()
        show(measured(candidates(stack.services.broker_url)))
        show_relay()
        stack.discard()


def candidates(url: str) -> dict[str, Callable[[], float]]:
    """What is compared: each enqueues JOBS_PER_TURN jobs and returns the seconds that this took."""
    plain, durable, unique = ours("plain"), ours("durable", durable=True), ours("unique", unique_on_enqueue=True)
    return {
        "stock .delay()": lambda: timed(stock(url)),
        "outside a transaction": lambda: timed(plain),
        "in a transaction": lambda: in_transaction(lambda: timed(plain)),
        "in a transaction, durable": lambda: in_transaction(lambda: timed(durable)),
        "outside, durable": lambda: timed(durable),
        "outside, unique": lambda: timed(unique),
        "enqueue_many in a transaction": lambda: in_transaction(many),
    }


def timed(delay: Callable[[int], object]) -> float:
    started = time.perf_counter()
    for number in range(JOBS_PER_TURN):
        delay(number)
    return time.perf_counter() - started


def in_transaction(enqueue: Callable[[], object]) -> float:
    """Without BEGIN and the server's COMMIT, and with the publication that follows it."""
    from django.db import connection, transaction

    committed: list[float] = []
    with transaction.atomic():
        connection.ensure_connection()
        transaction.on_commit(lambda: committed.append(time.perf_counter()))  # before what the outbox does then
        began = time.perf_counter()
        enqueue()
        enqueued = time.perf_counter()
    return enqueued - began + time.perf_counter() - committed[0]


def many() -> None:
    from intelliwiz_config.celery import app

    task = app.tasks["benchmark.plain"]
    app.enqueue_many(task.si(number) for number in range(JOBS_PER_TURN))


def stock(url: str) -> Callable[[int], object]:
    from celery import Celery

    if "stock" not in _apps:
        app: Any = Celery("stock", broker=url.replace("leased://", "redis://"), set_as_current=False)
        app.conf.task_default_queue = "maintenance"
        app.task(name="benchmark.stock", shared=False, ignore_result=True)(body)
        _apps["stock"] = app
    delay: Callable[[int], object] = _apps["stock"].tasks["benchmark.stock"].delay
    return delay


_apps: dict[str, Any] = {}


def ours(name: str, **options: Any) -> Callable[[int], object]:
    from apps.core.tasks import BaseTask, IdempotentTask
    from intelliwiz_config.celery import app

    base = IdempotentTask if options else BaseTask
    declare: Any = app.task(base=base, name=f"benchmark.{name}", shared=False, queue="maintenance", **options)
    declare(body)
    delay: Callable[[int], object] = app.tasks[f"benchmark.{name}"].delay
    return delay


def measured(compared: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Microseconds per job, of each turn; the candidates take turns, so that they share the machine's moods."""
    taken: dict[str, list[float]] = {name: [] for name in compared}
    for turn in range(TURNS + 1):
        for name, enqueue in compared.items():
            seconds = enqueue()
            if turn:  # the first one is for warming up
                taken[name].append(seconds / JOBS_PER_TURN * 1e6)
        clear()
    return taken


def clear() -> None:
    from apps.core.models import OutboxMessage
    from intelliwiz_config.celery import app

    OutboxMessage.objects.all().delete()
    app.outlet.store.client.flushdb()


def show(taken: dict[str, list[float]]) -> None:
    stock_delay = statistics.median(taken["stock .delay()"])
    print(f"{'µs per job':<32}{'p50':>8}{'times stock':>13}")
    for name, values in taken.items():
        print(f"{name:<32}{statistics.median(values):>8.0f}{statistics.median(values) / stock_delay:>13.2f}")


def show_relay() -> None:
    """Rows that their enqueuers could not publish, and rows that they could: these are only removed."""
    from django.db import transaction

    from apps.core.models import OutboxMessage
    from apps.core.outbox import Relay, rows
    from apps.core.outbox.relay import ENQUEUERS_TURN
    from intelliwiz_config.celery import app

    clear()
    task = app.tasks["benchmark.plain"]
    for name, publish in (("published by the relay", False), ("published by their enqueuers", True)):
        with transaction.atomic():
            app.enqueue_many(task.si(number) for number in range(RELAYED))
        if not publish:
            app.outlet.store.client.flushdb()
        time.sleep(ENQUEUERS_TURN.total_seconds())
        relay, started = Relay(app.outlet.store), time.perf_counter()
        while relay.work():
            pass
        seconds = time.perf_counter() - started
        assert not OutboxMessage.objects.exists()
        waiting = app.outlet.store.client.llen("maintenance")
        print(f"relay, rows {name}: {RELAYED / seconds:,.0f} rows/s ({waiting} messages in the queue)")
        clear()
    rows.database().close()


def body(argument: int) -> None:
    """A job's work."""


if __name__ == "__main__":
    main()
