"""Gauges, and what else a snapshot tells. What is not known has no line: a 0 would be a lie. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric

from apps.core.dead_letters.reasons import REASONS
from apps.core.health.queue_health import QueueHealth
from apps.core.health.snapshot import Snapshot
from apps.core.health.timetable import TimetableLook

from . import families

BREAKER_STATES: Final = {"closed": 0, "half_open": 1, "open": 2}


def of_snapshot(snapshot: Snapshot) -> Iterator[Metric]:
    yield from _of_queues(snapshot.queues)
    breakers = families.BREAKER_STATE.gauge()
    for breaker in snapshot.breakers or ():
        breakers.add_metric([breaker.service], BREAKER_STATES[breaker.state])
    yield breakers
    facts = snapshot.broker.facts
    yield _one(families.BROKER_MEMORY, facts.memory_used_ratio if facts else None)
    yield _one(families.BEATS_ALIVE, None if snapshot.beats is None else len(snapshot.beats))
    if snapshot.timetable is not None:
        yield from _of_timetable(snapshot.timetable)
    yield _one(families.OUTBOX_PENDING, snapshot.outbox.pending if snapshot.outbox else None)
    yield _of_letters(snapshot)


def _of_queues(queues: tuple[QueueHealth, ...]) -> Iterator[Metric]:
    length, oldest, consumers, paused, sla, slo = (
        families.QUEUE_LENGTH.gauge(),
        families.QUEUE_OLDEST.gauge(),
        families.QUEUE_CONSUMERS.gauge(),
        families.QUEUE_PAUSED.gauge(),
        families.QUEUE_SLA.gauge(),
        families.QUEUE_SLO.gauge(),
    )
    for one in queues:
        for state in ("ready", "delayed", "leased"):
            if (count := getattr(one.status, state)) is not None:
                length.add_metric([one.name, state], count)
        if (age := _oldest(one)) is not None:
            oldest.add_metric([one.name], age)
        if one.status.serve is not None:
            consumers.add_metric([one.name], one.status.serve)
            paused.add_metric([one.name], int(one.status.pause is not None))
        sla.add_metric([one.name], one.queue.sla_seconds)
        slo.add_metric([one.name], one.queue.slo_target)
    yield from (length, oldest, consumers, paused, sla, slo)


def _oldest(one: QueueHealth) -> float | None:
    """0 where it is known that nothing waits, so that an alert ends."""
    return 0.0 if one.status.ready == 0 else one.status.oldest_age_seconds


def _of_timetable(timetable: TimetableLook) -> Iterator[Metric]:
    started, succeeded, due, missed = (
        families.LAST_START.gauge(),
        families.LAST_SUCCESS.gauge(),
        families.NEXT_DUE.gauge(),
        families.MISSED.counter(),
    )
    for entry in timetable.entries:
        _add(started, entry.name, entry.last_start)
        _add(succeeded, entry.name, entry.last_success)
        _add(due, entry.name, timetable.overdue.get(entry.name, entry.next_due))
        missed.add_metric([entry.name], entry.missed or 0)
    yield from (started, succeeded, due, missed)


def _of_letters(snapshot: Snapshot) -> Metric:
    made = families.DEAD_LETTERS.gauge()
    if snapshot.given_up is not None:
        open_letters = dict.fromkeys(REASONS, 0) | dict(snapshot.given_up.by_reason)
        for reason, count in sorted(open_letters.items()):
            made.add_metric([reason], count)
    return made


def _add(gauge: GaugeMetricFamily, label: str, moment: datetime | None) -> None:
    if moment is not None:
        gauge.add_metric([label], moment.timestamp())


def _one(family: families.Family, value: float | None) -> GaugeMetricFamily:
    made = family.gauge()
    if value is not None:
        made.add_metric([], value)
    return made
