"""What idempotency adds to a job, beside bare round trips and two other libraries, all in one run.

Goals: p99 under 2 ms; p50 at most 2.7 round trips; below both libraries.
python -m benchmarks.idempotency
"""

import os
import statistics
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.local import Stack

TURNS, JOBS_PER_TURN = 100, 100


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.start_servers()
        os.environ |= stack.environment | {"DJANGO_SETTINGS_MODULE": "intelliwiz_config.settings.development"}
        import django

        django.setup()
        show(measured(candidates(stack.services.broker_url)))
        stack.discard()


def candidates(url: str) -> dict[str, Callable[[str], object]]:
    """What is compared: each handles one job with a given argument, without running anything."""
    from apps.core.redis_client import connect

    client = connect(url)
    return {
        "round trip (PING)": lambda _: client.ping(),
        "ours: claim and finish": ours(),
        "ours: answer of a duplicate": duplicate(),
        "celery-once": celery_once(url),
        "celery-singleton": celery_singleton(url),
    }


def ours() -> Callable[[str], object]:
    from apps.core.context import JobContext
    from apps.core.idempotency import run_once

    task, nobody = sample(), JobContext()

    def handle(argument: str) -> object:
        task.request.id = argument
        return run_once(task, task.key_for((argument,), {}, nobody), lambda: None)

    return handle


def duplicate() -> Callable[[str], object]:
    handle = ours()
    handle("the one before")
    return lambda _: handle("the one before")


def celery_once(url: str) -> Callable[[str], object]:
    from celery import Celery
    from celery_once import QueueOnce

    app: Any = Celery("once", broker=url, set_as_current=False)
    app.conf.ONCE = {"backend": "celery_once.backends.Redis", "settings": {"url": url}}
    app.task(base=QueueOnce, name="once", shared=False)(body)
    task: Any = app.tasks["once"]

    def handle(argument: str) -> None:
        key = task.get_key((argument,), {})
        task.once_backend.raise_or_lock(key, timeout=3600)
        task.once_backend.clear_lock(key)

    return handle


def celery_singleton(url: str) -> Callable[[str], object]:
    from celery import Celery
    from celery_singleton import Singleton

    app: Any = Celery("singleton", broker=url, backend=url, set_as_current=False)
    app.task(base=Singleton, name="singleton", shared=False, lock_expiry=3600)(body)
    task: Any = app.tasks["singleton"]

    def handle(argument: str) -> None:
        lock = task.generate_lock(task.name, [argument], {})
        task.aquire_lock(lock, argument)
        task.release_lock(task_args=[argument], task_kwargs={})

    return handle


def measured(compared: dict[str, Callable[[str], object]]) -> dict[str, list[float]]:
    """Sorted microseconds per job; the candidates take turns, so that they share the machine's moods."""
    taken: dict[str, list[float]] = {name: [] for name in compared}
    for turn in range(TURNS + 1):
        for name, handle in compared.items():
            arguments = [uuid.uuid4().hex for _ in range(JOBS_PER_TURN)]
            for argument in arguments:
                started = time.perf_counter_ns()
                handle(argument)
                if turn:  # the first one is for warming up
                    taken[name].append((time.perf_counter_ns() - started) / 1000)
    return {name: sorted(values) for name, values in taken.items()}


def show(taken: dict[str, list[float]]) -> None:
    trip = statistics.median(taken["round trip (PING)"])
    print(f"{'µs per job':<30}{'p50':>8}{'p99':>9}{'round trips':>13}")
    for name, values in taken.items():
        p50, p99 = statistics.median(values), values[int(len(values) * 0.99)]
        print(f"{name:<30}{p50:>8.0f}{p99:>9.0f}{p50 / trip:>13.2f}")


def sample() -> Any:
    from apps.core.tasks import IdempotentTask
    from intelliwiz_config.celery import app

    app.task(base=IdempotentTask, name="benchmark.sample", shared=False)(body)
    task: Any = app.tasks["benchmark.sample"]
    task.push_request(id="benchmark")
    return task


def body(argument: str) -> None:
    """A job's work."""


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the compared libraries use what Celery and redis-py have deprecated
    main()
