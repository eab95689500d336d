"""A fleet that is well, and how it differs from that: snapshots for tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from apps.core.broker.depths import Pause
from apps.core.broker.fleet import Owner
from apps.core.broker.server_facts import ServerFacts
from apps.core.broker.status import QuarantineStatus, QueueStatus, Status
from apps.core.circuit_breaker import BreakerStatus
from apps.core.health.database import DatabaseFacts
from apps.core.health.given_up import GivenUp, Trouble
from apps.core.health.queue_health import QueueHealth, WorkerHealth
from apps.core.health.queue_numbers import IdempotencyNumbers, Percentiles, QueueNumbers
from apps.core.health.snapshot import Snapshot
from apps.core.health.timetable import EntryLook, EntryPause, TimetableLook
from apps.core.metrics.windows import Window
from apps.core.outbox.look import OutboxLook
from apps.core.queues import QUEUES, Queue

NOW: Final = datetime(2026, 11, 23, 11, 20, 10, tzinfo=UTC)
SERVER: Final = ServerFacts(
    kind="valkey",
    version="9.1.2",
    compatible_with=(7, 2, 4),
    role="master",
    eviction="noeviction",
    keeps_log=True,
    memory_limit=1000,
    memory_used=410,
    evicted_keys=0,
)
TIMES: Final = Percentiles(p50=0.1, p95=0.2, p99=0.3)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def seconds(moment: datetime) -> float:
    return moment.timestamp()


def numbers(*, arrive: float = 60, end: float = 60, started: int = 1000, **attainment: float | None) -> QueueNumbers:
    """`attainment`: by window, as in M5=0.5; of all others everything started in time."""
    shares = {window: attainment.get(window.name, 1.0) for window in Window if window is not Window.H72}
    burns = {window: None if share is None else (1 - share) / 0.01 for window, share in shares.items()}
    return QueueNumbers(
        attainment=shares,
        late={window: round((1 - share) * started) if share is not None else 0 for window, share in shares.items()},
        error_budget=1.0,
        burn_rate=burns,
        wait=TIMES,
        run=TIMES,
        rate_per_minute=dict.fromkeys(("published", "started", "succeeded", "failed", "retried"), 60.0),
        arrive_per_minute=arrive,
        end_per_minute=end,
        minutes=(),
    )


def queue(of: Queue, seen: QueueNumbers | None = None, **changes: Any) -> QueueHealth:
    status = QueueStatus(queue=of, ready=0, delayed=0, leased=0, pause=None, waits=1, serve=1, scout="one")
    return QueueHealth(queue=of, status=replace(status, **changes), numbers=seen or numbers())


def queues(name: str, seen: QueueNumbers | None = None, **changes: Any) -> dict[str, Any]:
    """All are well but the one of this name."""
    return {"queues": tuple(queue(one, seen, **changes) if one.name == name else queue(one) for one in QUEUES)}


def late(name: str, age: float, ready: int = 3, **changes: Any) -> dict[str, Any]:
    return queues(name, **{"oldest_age_seconds": age, "ready": ready, "waits": 0} | changes)


def job(task: str, ran: float) -> SimpleNamespace:
    return SimpleNamespace(job="id", task=task, queue="reports", since=seconds(ago(seconds=ran)))


def worker(
    name: str = "one@host",
    *serves: str,
    alive: bool = True,
    card: bool = True,
    busy: int = 8,
    jobs: Any = (),
    **leases: int,
) -> WorkerHealth:
    told = SimpleNamespace(
        node=name,
        host="host",
        pid=1,
        pool="prefork",
        queues=serves,
        slots=8,
        busy=busy,
        rss_bytes=1,
        version="1.0",
        started_at=seconds(ago(hours=1)),
        jobs=tuple(jobs),
    )
    return WorkerHealth(owner=f"{name}:1:abc", alive=alive, leases=leases, card=told if card else None)


def entry(name: str = "auto_close_jobs", **changes: Any) -> EntryLook:
    look = EntryLook(
        name=name,
        task=name,
        next_due=NOW + timedelta(minutes=7),
        last_due=ago(minutes=23),
        last_outcome="succeeded",
        last_start=ago(minutes=23),
        last_success=ago(minutes=22),
        missed=0,
        pause=None,
        seen=True,
    )
    return replace(look, **changes)


def timetable(**changes: Any) -> dict[str, Any]:
    look = TimetableLook(entries=(entry(),), last_firing=ago(minutes=23), overdue={}, never_ran={}, late={})
    return {"timetable": replace(look, **changes)}


def trouble(**changes: Any) -> Trouble:
    look = Trouble(
        fingerprint="f" * 16,
        task="send_mail",
        error="SMTPServerDisconnected",
        count=12,
        first_at=ago(minutes=30),
        last_at=ago(minutes=1),
        is_new=False,
    )
    return replace(look, **changes)


def given_up(*latest: Trouble, count: int = 0, last_hour: int = 0, hour_before: int = 0) -> dict[str, Any]:
    by_reason = {"permanent": count} if count else {}
    look = GivenUp(
        count=count,
        by_reason=by_reason,
        fingerprints=len(latest),
        last_hour=last_hour,
        hour_before=hour_before,
        latest=latest,
    )
    return {"given_up": look}


def breaker(state: Any = "open", parked: int = 41) -> BreakerStatus:
    return BreakerStatus(
        service="weather", state=state, since=seconds(ago(minutes=5)), failures=6, probe_at=None, parked=parked
    )


def broker(**changes: Any) -> dict[str, Any]:
    return {"broker": replace(well().broker, **changes)}


def outbox(pending: int, age: float | None) -> dict[str, Any]:
    return {"outbox": OutboxLook(pending=pending, oldest_age_seconds=age, durable=pending)}


def pause(why: str = "ann: the disk is full", until: datetime | None = None) -> Pause:
    return Pause(until=None if until is None else seconds(until), why=why)


def entry_pause(until: datetime | None = None) -> EntryPause:
    return EntryPause(until=until, by="ann", why="the site moves")


def without_broker(why: str = "ConnectionError: refused") -> dict[str, Any]:
    """What is left of a snapshot when the broker is down."""
    status = Status(
        at=seconds(NOW),
        is_leased=True,
        unreachable=why,
        queues=tuple(QueueStatus(queue=one) for one in QUEUES),
    )
    nothing = dict.fromkeys(
        ("workers", "beats", "tasks", "idempotency", "runs_to_archive", "fuses", "breakers"),
    )
    unknown = tuple(QueueHealth(queue=one.queue, status=one, numbers=None) for one in status.queues)
    return {"broker": status, "queues": unknown, "unknown": {"broker": why}, **nothing}


def without_database(why: str = "OperationalError: refused") -> dict[str, Any]:
    nothing = dict.fromkeys(("database", "outbox", "timetable", "given_up"))
    return {"unknown": {"database": why}, **nothing}


def well(**changes: Any) -> Snapshot:
    """A snapshot of a fleet that is well, but for these fields."""
    healthy = tuple(queue(one) for one in QUEUES)
    owner = Owner(name="one", alive=True, leases={})
    snapshot = Snapshot(
        at=NOW,
        window=Window.H1,
        broker=Status(
            at=seconds(NOW),
            is_leased=True,
            facts=SERVER,
            queues=tuple(one.status for one in healthy),
            owners=(owner,),
            quarantine=QuarantineStatus(count=0, by_reason={}, looked_at=0),
            claimed_by_stock=0,
        ),
        queues=healthy,
        workers=(worker("one@host", *(one.name for one in QUEUES)),),
        beats=("beat",),
        tasks=(),
        idempotency=IdempotencyNumbers(checks_per_minute=380, duplicates_prevented_1h=12, overhead_p99_ms=0.9),
        runs_to_archive=0,
        fuses=(),
        breakers=(),
        database=DatabaseFacts(version="18.1", connections_used=10, connections_max=100, size_bytes=10_000_000),
        outbox=OutboxLook(pending=0, oldest_age_seconds=None, durable=0),
        **timetable(),
        **given_up(),
        unknown={},
    )
    return replace(snapshot, **changes)
