"""The same for machines: the one JSON document of commands, pages and probes.

null: not known; of an age: nothing waits; of a share or a percentile: nothing was counted.
"""

from typing import Any, Final

from ..circuit_breaker import BreakerStatus
from .addresses import url_of
from .problem import Problem
from .queue_facts import queue_facts, task_facts, who_and_why
from .snapshot import Snapshot
from .timetable_facts import timetable_facts
from .verdict import Verdict
from .words import iso, moment
from .worker_facts import workers_facts

SCHEMA_VERSION: Final = 1
UNKNOWN: Final = "unknown"


def facts(snapshot: Snapshot, verdict: Verdict, *, queue: str | None = None) -> dict[str, Any]:
    """`queue`: of all queues, tasks and problems only those of this one."""
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_at": iso(snapshot.at),
        "stale": False,
        "stale_parts": [],
        "known_at": iso(snapshot.at),
        "known_age_seconds": 0.0,
        "window": str(snapshot.window),
        "status": verdict.status,
        "verdict": {
            "sentence": verdict.sentence,
            "since": iso(verdict.since),
            "cause": verdict.cause or None,
            "action": verdict.action,
            "target": verdict.target,
        },
        "problems": [_problem(one) for one in verdict.problems if queue is None or one.queue in (None, queue)],
        "broker": _broker(snapshot),
        "database": _database(snapshot),
        "queues": [queue_facts(one) for one in snapshot.queues if queue is None or one.name == queue],
        "tasks": None
        if snapshot.tasks is None
        else [task_facts(one) for one in snapshot.tasks if queue is None or one.queue == queue],
        "workers": workers_facts(snapshot.workers),
        "schedules": timetable_facts(snapshot),
        "idempotency": _idempotency(snapshot),
        "failures": _failures(snapshot),
        "outbox": _outbox(snapshot),
        "breakers": None if snapshot.breakers is None else [_breaker(one) for one in snapshot.breakers],
        "fuses": None
        if snapshot.fuses is None
        else [{"task": one.task, "until": moment(one.until), **who_and_why(one.why)} for one in snapshot.fuses],
        "quarantine": _quarantine(snapshot),
        "runs_to_archive": snapshot.runs_to_archive,
        "unknown": dict(snapshot.unknown),
    }


def _problem(one: Problem) -> dict[str, Any]:
    return {
        "code": one.code,
        "severity": one.severity,
        "queue": one.queue,
        "entry": one.entry,
        "since": iso(one.since),
        "message": one.message,
        "cause": one.cause or None,
        "hint": one.hint,
        "action": one.action,
        "target": one.target,
        "url": url_of(one),
    }


def _broker(snapshot: Snapshot) -> dict[str, Any]:
    status, server = snapshot.broker, snapshot.broker.facts
    return {
        "kind": server.kind if server else UNKNOWN,
        "version": server.version if server else None,
        "role": server.role if server else None,
        "transport": "leased" if status.is_leased else "stock",
        "reachable": not status.unreachable,
        "refuses_writes": None if status.unreachable else status.refused or False,
        "memory_used_bytes": server.memory_used if server else None,
        "memory_used_ratio": server.memory_used_ratio if server else None,
        "evicted_keys": server.evicted_keys if server else None,
        "claimed_by_stock": status.claimed_by_stock,
    }


def _database(snapshot: Snapshot) -> dict[str, Any]:
    seen = snapshot.database
    return {
        "reachable": seen is not None,
        "version": seen.version if seen else None,
        "connections_used": seen.connections_used if seen else None,
        "connections_max": seen.connections_max if seen else None,
        "size_bytes": seen.size_bytes if seen else None,
    }


def _idempotency(snapshot: Snapshot) -> dict[str, Any]:
    seen = snapshot.idempotency
    return {
        "checks_per_minute": seen.checks_per_minute if seen else None,
        "duplicates_prevented_1h": seen.duplicates_prevented_1h if seen else None,
        "overhead_p99_ms": seen.overhead_p99_ms if seen else None,
    }


def _failures(snapshot: Snapshot) -> dict[str, Any]:
    seen = snapshot.given_up
    return {
        "open_fingerprints": seen.fingerprints if seen else None,
        "dead_letters": seen.count if seen else None,
        "by_reason": dict(seen.by_reason) if seen else None,
        "last_hour": seen.last_hour if seen else None,
        "latest": [
            {
                "fingerprint": one.fingerprint,
                "task": one.task,
                "error": one.error,
                "count": one.count,
                "first_at": iso(one.first_at),
                "last_at": iso(one.last_at),
                "new": one.is_new,
            }
            for one in seen.latest
        ]
        if seen
        else None,
    }


def _outbox(snapshot: Snapshot) -> dict[str, Any]:
    seen = snapshot.outbox
    return {
        "pending": seen.pending if seen else None,
        "oldest_age_seconds": seen.oldest_age_seconds if seen else None,
        "durable": seen.durable if seen else None,
    }


def _breaker(one: BreakerStatus) -> dict[str, Any]:
    return {
        "service": one.service,
        "state": one.state,
        "since": moment(one.since),
        "failures": one.failures,
        "probe_at": None if one.probe_at is None else moment(one.probe_at),
        "parked": one.parked,
    }


def _quarantine(snapshot: Snapshot) -> dict[str, Any] | None:
    seen = snapshot.broker.quarantine
    if seen is None:
        return None
    return {"count": seen.count, "by_reason": dict(seen.by_reason), "counted": seen.looked_at}
