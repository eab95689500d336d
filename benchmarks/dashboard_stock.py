"""A large installation for the benchmark of the dashboard: what waits, was counted, has failed and was fired."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

from apps.core.queues import QUEUES

WAITING, DELAYED, LETTERS, FIRINGS, ACTIONS, WORKERS = 1_000_000, 20_000, 10_000, 2_000, 10_000, 12
BUSY_TASKS: Final = 60
TROUBLES: Final = 60
TASK: Final = "send_ticket_email"
# unit: seconds of one, how many there are, and fields of each task in it
COUNTED: Final = {"m": (60, 74 * 60, 10), "h": (3600, 74, 16), "d": (86400, 31, 20)}
PORTION: Final = 1_000
DEEP: Final = 1_500  # how far back in its queue the job is that is looked for
KEPT: Final = 7 * 24 * 3600  # seconds


def job_number(number: int) -> str:
    return str(uuid.UUID(bytes=hashlib.md5(str(number).encode(), usedforsecurity=False).digest()))


def waiting(store: Any) -> None:
    """Jobs in all queues, published in their order; a part of them delayed."""
    text = _published_text(store)
    for first in range(0, WAITING, PORTION):
        pipeline = store.client.pipeline(transaction=False)
        queue = QUEUES[first // PORTION % len(QUEUES)].name
        pipeline.lpush(queue, *(text(number, queue) for number in range(first, first + PORTION)))
        pipeline.execute()
    now = time.time()
    for first in range(WAITING, WAITING + DELAYED, PORTION):
        queue = QUEUES[first // PORTION % len(QUEUES)].name
        entries = {
            f"{queue}\n".encode() + text(number, queue): now + KEPT + number
            for number in range(first, first + PORTION)
        }
        store.client.zadd(store.key("delayed", queue), entries)


def _published_text(store: Any) -> Any:
    """Messages as the project itself publishes them, which differ in id and queue."""
    from apps.core import context
    from intelliwiz_config.celery import app

    with context.using(tenant_id=7):
        app.send_task(TASK, kwargs={"ticket_id": 4711, "change_id": 2}, task_id="the-id", queue="email")
    (text,) = store.client.lrange("email", 0, 0)
    store.client.delete("email")
    return lambda number, queue: text.replace(b"the-id", job_number(number).encode()).replace(
        b'"routing_key": "email"', f'"routing_key": "{queue}"'.encode()
    )


def workers(store: Any) -> None:
    """Cards of workers that are all busy, and the signs of life of their owners."""
    from apps.core.owners.identity import owner_key

    for number in range(WORKERS):
        owner, queue = f"host{number}:{100 + number}:abc", QUEUES[number % len(QUEUES)].name
        jobs = [
            {"job": str(uuid.uuid4()), "task": TASK, "queue": queue, "since": time.time() - place}
            for place in range(8)
        ]
        told = {
            "node": f"{queue}@host{number}",
            "host": f"host{number}",
            "pid": 100 + number,
            "pool": "prefork",
            "queues": [queue],
            "slots": 8,
            "busy": 8,
            "rss_bytes": 90_000_000,
            "version": "0.1.0",
            "started_at": time.time() - 4000,
            "at": time.time(),
            "jobs": jobs,
        }
        store.client.set(store.prefix + owner_key(owner), 1, ex=KEPT)
        store.client.sadd(store.key("owners"), owner)
        store.client.set(store.key("card", owner), json.dumps(told), ex=KEPT)
        leases = {str(place): f"{queue}\n{{}}" for place in range(8)}
        store.client.hset(store.key("leases", owner), mapping=leases)


def counts(store: Any) -> None:
    """Of three days and a month, BUSY_TASKS tasks in every minute. The newest minute is open."""
    from apps.core.metrics.events import field

    def busy(fields: int) -> dict[str, int]:
        names = ["published", "started", "succeeded", "wait_us", "run_us", *["wait_le", "run_le"] * 8][:fields]
        return {
            field(
                name, QUEUES[task % len(QUEUES)].name, str(place) if name.endswith("_le") else "-", f"task_{task}"
            ): 1000 + task
            for task in range(BUSY_TASKS)
            for place, name in enumerate(names)
        }

    now = int(time.time())
    for unit, (size, count, fields) in COUNTED.items():
        mapping = busy(fields)
        for place in range(now // size - count, now // size + (60 if unit == "m" else 2)):
            store.client.hset(store.key("counts", unit, str(place)), mapping=mapping)
    store.client.hset(store.key("counts", "total"), mapping=busy(20))


def letters() -> None:
    """A tenth of them closed."""
    from django.utils import timezone

    from apps.core.models import DeadLetter

    now, made = timezone.now(), []
    for number in range(LETTERS):
        job, at = job_number(10_000_000 + number), now - timedelta(minutes=4 * number)
        closed = number % 10 == 0
        message = {
            "body": "W1tdLCB7fSwge31d",
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"id": job, "task": TASK, "retries": 3, "root_id": job},
            "properties": {"delivery_tag": job, "body_encoding": "base64"},
        }
        made.append(
            DeadLetter(
                kept_as=f"benchmark {number}",
                reason=("permanent", "transient", "timeout")[number % 3],
                task=f"task_{number % 40}",
                job=job,
                queue=QUEUES[number % len(QUEUES)].name,
                list_name="email",
                message=json.dumps(message).encode(),
                error=("TimeoutError", "ValueError", "ConnectionError")[number % 3],
                error_text=f"the other side said no to number {number}",
                traceback="Traceback (most recent call last):\n" + "  File …\n" * 30,
                fingerprint=_fingerprint(number),
                attempts=4,
                first_at=at - timedelta(minutes=2),
                last_at=at,
                state=DeadLetter.State.REPLAYED if closed else DeadLetter.State.OPEN,
                closed_at=now if closed else None,
            )
        )
    DeadLetter.objects.bulk_create(made, 1000)


def _fingerprint(number: int) -> str:
    """As benchmarks/runs.py has them."""
    return hashlib.md5(str(number % TROUBLES).encode(), usedforsecurity=False).hexdigest()[:16]


def firings() -> None:
    """Of all entries of the timetable, the latest at this minute."""
    from django.utils import timezone

    from apps.core.models import Firing, ScheduleState
    from intelliwiz_config.schedule import ENTRIES

    now = timezone.now().replace(second=0, microsecond=0)
    for entry in ENTRIES:
        ScheduleState.objects.create(name=entry.name, spec="…", since=now - timedelta(days=90), settled=now)
    Firing.objects.bulk_create(
        Firing(
            entry=ENTRIES[number % len(ENTRIES)].name,
            due=(due := now - timedelta(minutes=number)),
            job=job_number(20_000_000 + number),
            outcome=Firing.Outcome.SUCCEEDED if number % 50 else Firing.Outcome.FAILED,
            enqueued_at=due,
            started_at=due + timedelta(seconds=1),
            ended_at=due + timedelta(seconds=3),
        )
        for number in range(FIRINGS)
    )


def actions() -> None:
    from apps.core.models import OperatorAction

    OperatorAction.objects.bulk_create(
        OperatorAction(
            actor=f"person {number % 20}",
            action=("pause-queue", "replay-dead-letters", "fire-entry")[number % 3],
            target=f"target {number}",
            reason="the bank is down",
            expected=1,
            affected=1,
            result=OperatorAction.Result.DONE,
        )
        for number in range(ACTIONS)
    )


def steps(store: Any) -> Iterator[str]:
    """Makes all of it; says what was made, and how long that took."""
    from django.db import connection

    from .runs import fill

    made: tuple[tuple[str, Callable[[], object]], ...] = (
        (f"{WAITING:,} jobs waiting, {DELAYED:,} delayed", lambda: waiting(store)),
        (f"{WORKERS} workers", lambda: workers(store)),
        (f"{BUSY_TASKS} tasks busy in every minute of 72 h", lambda: counts(store)),
        ("history of runs", fill),
        (f"{LETTERS:,} dead letters", letters),
        (f"{FIRINGS:,} firings", firings),
        (f"{ACTIONS:,} rows of the audit", actions),
    )
    for name, make in made:
        began = time.perf_counter()
        make()
        yield f"{name}: {time.perf_counter() - began:.0f} s"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
