"""What `manage.py jobs status` shows to people."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.core.management.base import BaseCommand
from rich.markup import escape

from ..broker.depths import Pause
from ..durations import in_words
from ..health.problem import Problem
from ..health.queue_health import QueueHealth, WorkerHealth
from ..health.snapshot import Snapshot
from ..health.verdict import Verdict
from ..metrics.windows import Window
from .output import UNKNOWN, known, moment, table

COLOURS: Final = {"critical": "bold red", "warning": "yellow"}
OF_STATUS: Final = {"ok": "green", "degraded": "yellow", "critical": "bold red", "unknown": "bold red"}
NUMBERS: Final = ("rank", "SLA", "oldest", "ready", "delayed", "leased", "workers", "idle", "p95 wait", "in SLA")
BREAKERS: Final = ("service", "failures", "parked", "calls", "since", "next probe")
CALLS: Final = {"closed": "allowed", "open": "SUSPENDED", "half_open": "one, as a probe"}
PLAIN_BROKER: Final = (
    "The broker is no leased:// one: what is delayed or leased, pauses, and who serves a queue are unknown here. "
    "{claimed} messages are in the hands or the memory of workers."
)


def parts(command: BaseCommand, snapshot: Snapshot, found: Verdict) -> Iterator[Any]:
    """The verdict, then what else is wrong, then how everything stands."""
    yield f"[{OF_STATUS[found.status]}]{found.status:<8}[/] {escape(found.sentence)}"
    others = {one.sentence: one for one in found.problems if one.sentence != found.sentence}  # some say the same
    if others:
        yield ""
        yield from map(_problem, others.values())
    yield f"\n{_server_in_words(snapshot)}"
    if not snapshot.broker.unreachable:
        yield from _broker(command, snapshot)
    yield _outbox_in_words(snapshot)
    yield from _breakers(command, snapshot)


def _problem(one: Problem) -> str:
    said = f"{one.message}: {one.cause}" if one.cause else one.message
    return f"[{COLOURS[one.severity]}]{one.severity:<8}[/] {escape(said)}\n         {escape(one.hint)}"


def _broker(command: BaseCommand, snapshot: Snapshot) -> Iterator[Any]:
    if not snapshot.broker.is_leased:
        yield PLAIN_BROKER.format(claimed=known(snapshot.broker.claimed_by_stock))
    headings = ("queue", *NUMBERS, "scout", "paused")
    yield ""
    yield table(command, headings, [_queue(one) for one in snapshot.queues], numbers=len(NUMBERS))
    if snapshot.workers is not None:
        rows = [_worker(one) for one in snapshot.workers]
        yield ""
        yield table(command, ("worker", "leases", "", "of"), rows, numbers=1) if rows else "No worker is known."
        yield _beats_in_words(snapshot)


def _queue(one: QueueHealth) -> tuple[str, ...]:
    status, numbers = one.status, one.numbers
    if status.oldest_age_seconds is not None:
        age = in_words(status.oldest_age_seconds)
    else:
        age = "-" if status.ready == 0 else UNKNOWN
    return (
        one.name,
        str(one.queue.rank),
        in_words(one.queue.sla_seconds),
        age,
        known(status.ready),
        known(status.delayed),
        known(status.leased),
        known(status.serve),
        known(status.waits),
        UNKNOWN if numbers is None else "-" if numbers.wait.p95 is None else in_words(round(numbers.wait.p95, 1)),
        UNKNOWN if numbers is None else _share(numbers.attainment[Window.H1]),
        UNKNOWN if status.serve is None else "yes" if status.scout else "no",
        UNKNOWN if status.serve is None else _pause_in_words(status.pause) if status.pause else "no",
    )


def _share(share: float | None) -> str:
    """Rounded down: 100 % are all."""
    return "-" if share is None else f"{int(share * 1000) / 10:.1f}%"


def _pause_in_words(pause: Pause) -> str:
    by, separator, why = pause.why.partition(": ")
    until = "resumed" if pause.until is None else moment(pause.until)
    return f"until {until}, by {by if separator else UNKNOWN}: {why if separator else pause.why}"


def _worker(one: WorkerHealth) -> tuple[str, ...]:
    return (
        one.name,
        str(sum(one.leases.values())),
        "alive" if one.alive else "SILENT",
        ", ".join(f"{count} {queue}" for queue, count in one.leases.items()),
    )


def _server_in_words(snapshot: Snapshot) -> str:
    facts = snapshot.broker.facts
    if facts is None:
        return "broker: kind and version are unknown"
    ratio = facts.memory_used_ratio
    memory = "no memory limit" if ratio is None else f"{ratio:.0%} of its memory used"
    return escape(f"broker: {facts.kind} {facts.version}, {known(facts.role)}, {memory}")


def _beats_in_words(snapshot: Snapshot) -> str:
    beats, timetable = snapshot.beats, snapshot.timetable
    running = f"{UNKNOWN} beats" if beats is None else f"{len(beats)} beats run"
    if timetable is None or not timetable.entries:
        return f"timetable: {running}"
    first = min(timetable.entries, key=lambda entry: entry.next_due)
    return escape(f"timetable: {running}, next {first.name} at {_minute(first.next_due)}")


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def _outbox_in_words(snapshot: Snapshot) -> str:
    seen = snapshot.outbox
    if seen is None:
        return f"outbox: {UNKNOWN}"
    return f"outbox: {seen.pending} to publish, {seen.durable} durable jobs under way"


def _breakers(command: BaseCommand, snapshot: Snapshot) -> Iterator[Any]:
    rows = [
        (
            one.service,
            str(one.failures),
            str(one.parked),
            CALLS[one.state],
            moment(one.since),
            "-" if one.probe_at is None else moment(one.probe_at),
        )
        for one in snapshot.breakers or ()
    ]
    if rows:
        yield ""
        yield table(command, BREAKERS, rows, numbers=2)
