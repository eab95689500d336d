"""Installations to look at: one in which all is well, and one in which everything is wrong that can be.

They are written as the engine would have written them, without jobs that run; `python -m tests.browser.screenshots`
makes its pictures of them.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from celery import current_app
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import connection

from apps.core.broker.configured import configured_store
from apps.core.broker.store import MessageStore
from apps.core.circuit_breaker.options import Breaker
from apps.core.circuit_breaker.store import Admitted, BreakerStore
from apps.core.health.servers import breaker_store
from apps.core.idempotency import records
from apps.core.metrics.events import EDGES, field
from apps.core.models import OperatorAction
from apps.core.owners import owner_id
from apps.core.queues import QUEUES
from apps.core.runs.models import JobRun
from apps.core.runs.terms import terms_of
from apps.core.schedules import history
from apps.core.schedules.firings import next_firing
from apps.core.schedules.models import Firing, ScheduleState
from apps.core.schedules.plan import plans_of
from apps.core.schedules.sign_of_life import KEY, KNOWN_KEY
from apps.monitoring import broker_trouble, firings, looking

from ..integration.broker.trial import text_of
from ..integration.dead_letters.letters import made as made_letter

EVIL: Final = "<img src=x onerror=alert(1)>"
QUEUES_LISTS: Final = [queue.name + step for queue in QUEUES for step in ("", "\x06\x163", "\x06\x166", "\x06\x169")]
ALIVE: Final = 3600 * 1000  # milliseconds that a worker who is not there counts as alive
DEEP: Final = "5f0c2a61-3e0b-4f5c-9f0e-2a1c64d7b001"  # the job that everybody asks for
DELAYED: Final = "5f0c2a61-3e0b-4f5c-9f0e-2a1c64d7b002"
FAILED: Final = "5f0c2a61-3e0b-4f5c-9f0e-2a1c64d7b003"
DONE: Final = "5f0c2a61-3e0b-4f5c-9f0e-2a1c64d7b004"
MAIL_DOWN: Final = "c0ffee0000000001"
BAD_REPORT: Final = "c0ffee0000000002"
POISON: Final = "c0ffee0000000003"
HELD_KEY: Final = "create_job:global:site=12"

# task -> its queue, jobs a minute, seconds that 50 and 99 % of them wait, and run
BUSY: Final = {
    "auto_close_jobs": ("critical", 4, 0.05, 0.25, 0.5, 3.0),
    "ticket_escalation": ("critical", 3, 0.1, 0.5, 0.25, 2.0),
    "check_face": ("high_priority", 46, 0.1, 1.0, 0.5, 2.0),
    "send_ticket_email": ("email", 21, 0.25, 2.0, 0.25, 1.0),
    "send_reminder_email": ("email", 9, 0.5, 3.0, 0.25, 2.0),
    "create_scheduled_reports": ("reports", 2, 1.0, 10.0, 5.0, 60.0),
    "run_report_now": ("reports", 1, 1.0, 30.0, 3.0, 30.0),
    "publish_mqtt": ("external_api", 30, 0.1, 1.0, 0.05, 0.25),
    "move_media_files": ("maintenance", 2, 5.0, 60.0, 10.0, 120.0),
}
WORKERS: Final = (
    ("critical@jobs-1", ("critical", "high_priority"), 8),
    ("general@jobs-1", ("email", "external_api", "reports"), 8),
    ("reports@jobs-2", ("reports", "maintenance", "ml_training"), 4),
)


def nothing() -> None:
    """An installation in which nothing has happened yet. Removes whatever there is but the tables' rows."""
    store = configured_store()
    own = f"bgjobs:owner:{owner_id()}".encode()  # this process may claim keys, and lives
    keys = [key for key in store.client.scan_iter("bgjobs:*", count=1000) if key != own]
    store.client.delete(*QUEUES_LISTS, *keys)
    forget()


def no_rows() -> None:
    """Removes the rows of the jobs and of people, with all that belongs to these, in much less time than a flush."""
    models = (User, Session, *apps.get_app_config("bgjobs").get_models())
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(model._meta.db_table for model in models)} CASCADE")


def forget() -> None:
    """What this process has seen before."""
    from django.core.cache import caches

    looking.forget()
    broker_trouble.forget()
    caches["last_known"].clear()


def person(name: str, group: str, password: str = "") -> User:
    user = User.objects.create_user(name, password=password or None, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


def healthy(now: datetime) -> None:
    """A quiet afternoon."""
    store = configured_store()
    counted(store, now)
    for node, queues, slots in WORKERS:
        worker(store, node, queues, slots)
    timetable(store, now)
    ended_well(now, runs=40)
    store.client.lpush("email", *(waiting("send_ticket_email", "email", since=now.timestamp()) for _ in range(2)))
    forget()


def trouble(now: datetime, *, suffix: str = "", mails: int = 140, runs: int = 40) -> None:
    """The night in which everything goes wrong. `suffix` is added to every text that others may choose."""
    store = configured_store()
    counted(store, now, late_for=40)
    owners = [worker(store, node, queues, slots, busy=True) for node, queues, slots in WORKERS[1:]]
    timetable(store, now, mixed=True, suffix=suffix)
    ended_well(now, runs, suffix)
    stuck(store, now, owners, mails, suffix)
    failed(now, runs, suffix)
    stopped(store, suffix)
    audited(suffix)
    records().claim(HELD_KEY, job=DONE)
    forget()


# numbers


def counted(store: MessageStore, now: datetime, late_for: int = 0) -> None:
    """What the engine counts, for 30 days; in the last `late_for` minutes mails were late."""
    pipeline, at = store.client.pipeline(transaction=False), int(now.timestamp())
    for unit, size, many in (("m", 60, 75), ("h", 3600, 73), ("d", 86400, 30)):
        place = at // size
        for back in range(many):
            counts: dict[str, int] = {}
            for number, (task, busy) in enumerate(BUSY.items()):
                wave = 1 + ((place - back) * (number + 3) % 7 - 3) / 10
                jobs = max(int(busy[1] * wave * size / 60), 1)
                is_late = unit == "m" and back < late_for and busy[0] == "email"
                counts |= _of_task(task, busy, jobs, is_late=is_late)
            counts[field("checked", "critical", "claimed", "auto_close_jobs")] = 4 * size // 60
            counts[field("checked", "critical", "answered", "auto_close_jobs")] = size // 300
            counts[field("check_le", "critical", "2", "auto_close_jobs")] = 4 * size // 60
            pipeline.hset(store.key("counts", unit, str(place - back)), mapping=counts)
    pipeline.execute()


def _of_task(task: str, busy: tuple[str, int, float, float, float, float], jobs: int, *, is_late: bool) -> Any:
    queue, _, wait, slow_wait, run, slow_run = busy
    if is_late:
        wait, slow_wait = 60.0, 300.0
    slow = jobs // 50
    failures = jobs // 40 if task == "send_reminder_email" else 0
    counts = {
        field("published", queue, "-", task): jobs,
        field("started", queue, "-", task): jobs,
        field("succeeded", queue, "-", task): jobs - failures,
        field("failed", queue, "permanent", task): failures,
        field("retried", queue, "transient", task): failures,
    }
    for measure, middle, tail in (("wait", wait, slow_wait), ("run", run, slow_run)):
        counts[field(f"{measure}_le", queue, str(EDGES.index(middle)), task)] = jobs - slow
        counts[field(f"{measure}_le", queue, str(EDGES.index(tail)), task)] = slow
        counts[field(f"{measure}_us", queue, "-", task)] = int(jobs * middle * 1e6)
    return {name: count for name, count in counts.items() if count}


# workers and what waits


def worker(store: MessageStore, node: str, queues: Iterable[str], slots: int, *, busy: bool = False) -> str:
    """Nobody: a worker that only the broker knows of. Its pid is this process's, so that nobody takes it for dead."""
    owner = f"{node.partition('@')[2]}:{os.getpid()}:{node.partition('@')[0].encode().hex():0<12}"
    now, client = time.time(), store.client
    jobs = [("run_report_now", "reports"), ("publish_mqtt", "external_api")] if busy else []
    card = {
        "node": node,
        "host": node.partition("@")[2],
        "pid": os.getpid(),
        "pool": "prefork",
        "queues": list(queues),
        "slots": slots,
        "busy": len(jobs),
        "rss_bytes": 91_000_000,
        "version": "0.1.0",
        "started_at": now - 86400,
        "at": now,
        "jobs": [
            {"job": f"{owner[-12:]}-{number}", "task": task, "queue": queue, "since": now - 70 * (number + 1)}
            for number, (task, queue) in enumerate(jobs)
        ],
    }
    client.set(store.key("owner", owner), "1", px=ALIVE)
    client.set(store.key("card", owner), json.dumps(card), px=ALIVE)
    client.sadd(store.key("owners"), owner)
    for queue in queues:
        client.sadd(store.key("idle", queue), owner)
    return owner


def waiting(task: str, queue: str, *args: Any, since: float, **headers: Any) -> str:
    """The message of a job that has been ready since then."""
    return f'{message(task, queue, *args, **headers)[:-1]}, "ready_at": {since:.6f}}}'


def message(task: str, queue: str, *args: Any, **headers: Any) -> str:
    made = json.loads(text_of("x", *args, queue=queue, argsrepr=repr(args), kwargsrepr="{}", **headers))
    made["headers"]["task"] = task
    return json.dumps(made)


def stuck(store: MessageStore, now: datetime, owners: list[str], count: int, suffix: str) -> None:
    """A paused queue with jobs behind it, jobs for which nobody comes, delayed ones, and some in workers' hands."""
    client, at = store.client, now.timestamp()
    mails = [waiting(f"send_ticket_email{suffix}", "email", n, since=at - 2400 + 11 * n) for n in range(count)]
    deep = waiting("send_ticket_email", "email", 4711, 90210, since=at - 800, id=DEEP, bgjobs_tenant="3", retries=1)
    client.lpush(
        "email", *mails, deep, *(waiting("send_reminder_email", "email", n, since=at - 30) for n in range(9))
    )
    reports = [waiting("run_report_now", "reports", n, since=at - 9 - n) for n in range(4)]
    client.lpush("reports", *reports)
    store.claim(owners[0], call=1, most=2, queues=["reports"])
    client.lpush("critical", *(waiting("auto_close_jobs", "critical", n, since=at - 41 - n) for n in range(3)))
    later = message(f"publish_mqtt{suffix}", "external_api", 7, id=DELAYED)
    store.publish("external_api", "external_api", later, due=at + 5400)
    for number in range(17):
        text = message("publish_mqtt", "external_api", number)
        store.publish("external_api", "external_api", text, due=at + 600 + 40 * number)


def stopped(store: MessageStore, suffix: str) -> None:
    """By people, and by a breaker."""
    store.pause("email", seconds=25 * 60, why=f"ann: the mail server is being replaced{suffix}")
    store.fuse(f"run_report_now{suffix}", seconds=1800, why=f"ann: it floods the archive{suffix}")
    breakers = breaker_store(current_app.conf)
    opened(breakers, "weather")
    for number in range(41):
        breakers.park("weather", f"job-{number}")


def opened(breakers: BreakerStore, service: str) -> None:
    for number in range(6):
        admitted = breakers.admit(service, f"call-{number}", lease=60)
        if isinstance(admitted, Admitted):
            breakers.fail(service, admitted, Breaker())


# the timetable


def timetable(store: MessageStore, now: datetime, *, mixed: bool = False, suffix: str = "") -> None:
    """Two beats, and 30 firings of each entry; `mixed`: not all went well."""
    for beat in ("jobs-1:11:aaa", "jobs-2:12:bbb"):
        store.client.sadd(f"{store.prefix}{KNOWN_KEY}", beat)
        store.client.set(f"{store.prefix}{KEY}{beat}", "1", px=ALIVE)
    rows = []
    for place, plan in enumerate(plans_of(current_app).values()):
        ScheduleState.objects.create(
            name=plan.name,
            spec=plan.spec,
            since=now - timedelta(days=400),
            settled=now,
            missed=int(mixed and place % 3 == 0),
        )
        rows += [
            fired(plan.name, due, number + place if mixed and place % 3 == 0 and 2 < number < 24 else 0, suffix)
            for number, due in enumerate(reversed(list(_last(plan.schedule, now, 30))))
        ]
    Firing.objects.bulk_create(rows)
    if mixed:
        ScheduleState.objects.filter(name="send_reminder_email").update(
            paused_at=now - timedelta(minutes=9), paused_by=f"ben{suffix}", paused_why=f"the mail server{suffix}"
        )


def _last(schedule: Any, now: datetime, count: int) -> Iterator[datetime]:
    """The latest instants before now, the oldest first."""
    for span in (timedelta(hours=12), timedelta(days=3), timedelta(days=31), timedelta(days=300)):
        found, instant = [], next_firing(schedule, now - span)
        while instant <= now - timedelta(minutes=1):
            found.append(instant)
            instant = next_firing(schedule, instant)
        if len(found) >= count:
            break
    yield from found[-count:]


def fired(entry: str, due: datetime, kind: int, suffix: str) -> Firing:
    """`kind` 0 is one that went well; of others each outcome has its turn."""
    outcomes = [*firings.SIGNS, Firing.Outcome.SUCCEEDED]
    outcome = outcomes[kind // 3 % len(outcomes)] if kind and kind % 3 == 0 else Firing.Outcome.SUCCEEDED
    started = outcome not in ("enqueued", "skipped", "missed", "paused", "expired", "revoked")
    late = history.LATE * 2 if kind and kind % 7 == 0 else timedelta(seconds=1)
    ended = outcome not in ("enqueued", "running", "retrying")
    return Firing(
        entry=entry,
        due=due,
        outcome=outcome,
        why="" if outcome == "succeeded" else f"as it went{suffix}",
        job="" if outcome in ("missed", "skipped", "paused") else f"{entry}-{due:%d%H%M}",
        enqueued_at=due,
        started_at=due + late if started else None,
        ended_at=due + late + timedelta(seconds=3) if ended else None,
    )


# what has ended


def run(event: str, ended: datetime, **facts: Any) -> JobRun:
    usual = {
        "key": f"{event} {ended:%H%M%S.%f} {facts.get('job', '')}",
        "ended_at": ended,
        "started_at": ended - timedelta(seconds=1.2),
        "ready_at": ended - timedelta(seconds=1.5),
        "wait_seconds": 0.3,
        "run_seconds": 1.2,
        "attempt": 1,
        "pid": 4711,
        "worker": "general@jobs-1",
        "args": "(4711,)",
        "kwargs": "{'site': 'Plant 7'}",
    }
    made = JobRun(event=event, **{**usual, **facts})
    made.terms = terms_of(made.args, made.kwargs)
    return made


def ended_well(now: datetime, runs: int, suffix: str = "") -> None:
    """The history; DONE is one of it."""
    rows = []
    for number in range(runs):
        task = list(BUSY)[number % len(BUSY)]
        rows.append(
            run(
                "succeeded",
                now - timedelta(seconds=20 + 37 * number),
                job=DONE if number == 0 else f"0b6a{number:04x}-77aa-4c55-8f00-4f5f0c2a61{number:02x}",
                task=task,
                queue=BUSY[task][0],
                args=f"({4700 + number},)",
                tenant=str(1 + number % 4),
                idempotency_key=HELD_KEY if number == 0 else "",
                kwargs=f"{{'site': 'Plant 7{suffix}'}}",
            )
        )
    JobRun.objects.bulk_create(rows)


def failed(now: datetime, runs: int, suffix: str) -> None:
    """Attempts that ended in every way, and dead letters of three troubles."""
    events = ("failed", "retried", "deduplicated", "waited", "parked", "expired", "revoked", "rejected", "lost")
    JobRun.objects.bulk_create(
        [
            run(
                "retried",
                now - timedelta(seconds=860),
                job=DEEP,
                task="send_ticket_email",
                queue="email",
                reason="transient",
                error="SMTPServerDisconnected",
                error_text=f"Connection unexpectedly closed{suffix}",
                fingerprint=MAIL_DOWN,
                tenant="3",
            )
        ]
    )
    JobRun.objects.bulk_create(
        run(
            event,
            now - timedelta(seconds=5 + number),
            job=f"{event}-job",
            task=f"send_reminder_email{suffix}",
            queue="email",
            reason="transient" if event in ("failed", "retried") else "",
            error=f"SMTPServerDisconnected{suffix}" if event in ("failed", "retried", "rejected") else "",
            error_text=f"Connection unexpectedly closed{suffix}" if event == "failed" else "",
            fingerprint=MAIL_DOWN if event in ("failed", "retried") else "",
            args=f"({suffix or 4711!r},)",
            worker=f"general@jobs-1{suffix}",
            entry=f"send_reminder_email{suffix}",
        )
        for number, event in enumerate(events)
    )
    troubles: tuple[tuple[str, str, str, str, int, Callable[[int], float]], ...] = (
        ("send_reminder_email", "SMTPServerDisconnected", MAIL_DOWN, "transient", 12, lambda n: 60 + 150 * n),
        ("create_scheduled_reports", "ValueError", BAD_REPORT, "permanent", 3, lambda n: 3600 * (5 + 20 * n)),
        ("check_face", "WorkerLostError", POISON, "poison", 1, lambda n: 1900),
    )
    JobRun.objects.bulk_create(
        run(
            "failed",
            now - timedelta(seconds=ago(number)),
            job=f"{fingerprint[-4:]}{number:04d}-1d2e-4a3b",
            task=task + suffix,
            queue="email",
            reason=reason,
            error=error + suffix,
            error_text=f"it went wrong{suffix}",
            fingerprint=fingerprint,
        )
        for task, error, fingerprint, reason, many, ago in troubles
        for number in range(min(many, runs))
    )
    for task, error, fingerprint, reason, many, ago in troubles:
        for number in range(many):
            job = FAILED if fingerprint == MAIL_DOWN and number == 0 else f"{fingerprint[-4:]}{number:04d}-1d2e-4a3b"
            at = now - timedelta(seconds=ago(number))
            made_letter(
                task + suffix,
                4700 + number,
                suffix or "Plant 7",
                job=job,
                queue="email",
                list_name="email",
                error=error + suffix,
                error_text=f"Connection unexpectedly closed{suffix}",
                traceback=f'Traceback (most recent call last):\n  File "mail.py", line 3\n{error}: closed{suffix}',
                fingerprint=fingerprint,
                reason=reason,
                attempts=4,
                tenant="3",
                first_at=at - timedelta(minutes=5),
                last_at=at,
            ).save()


def audited(suffix: str) -> None:
    for actor, action, target, why, expected, affected, result in (
        ("ann", "pause-queue", "email for 25m", "the mail server is being replaced", 1, 1, "done"),
        ("ann", "fuse-task", "run_report_now for 30m", "it floods the archive", 1, 1, "done"),
        ("ben", "replay-dead-letters", "fingerprint c0ffee0000000002", "the report is mended", 3, 2, "failed"),
        ("eve", "purge-queue", "maintenance", "made by mistake", 4_200, None, "started"),
    ):
        OperatorAction.objects.create(
            actor=actor + suffix,
            action=action,
            target=target + suffix,
            reason=why + suffix,
            expected=expected,
            affected=affected,
            result=result,
            detail="",
        )
