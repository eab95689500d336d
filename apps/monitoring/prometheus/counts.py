"""Counters and histograms, out of the store's totals. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from apps.core.metrics import events
from apps.core.metrics.events import EDGES, Measure
from apps.core.metrics.histogram import Histogram
from apps.core.metrics.numbers import MICROSECONDS, Numbers
from apps.core.queues import QUEUES

from . import families
from .families import Family

OF_TASKS: Final = {
    events.PUBLISHED: families.TASK_PUBLISHED,
    events.STARTED: families.TASK_STARTED,
    events.SUCCEEDED: families.TASK_SUCCEEDED,
    events.FAILED: families.TASK_FAILED,
    events.RETRIED: families.TASK_RETRIED,
    events.DEDUPLICATED: families.TASK_DEDUPLICATED,
}
NOTHING: Final = Histogram(edges=EDGES, buckets=(0,) * (len(EDGES) + 1), sum_seconds=0.0)


def of_totals(totals: Numbers) -> Iterator[Metric]:
    for event, family in OF_TASKS.items():
        yield _counted(family, totals, event)
    waits = {queue.name: NOTHING for queue in QUEUES} | _histograms(totals, "wait", "queue")
    yield _histogram(families.TASK_WAIT, sorted(waits.items()))
    yield _within_sla(waits)
    yield _histogram(families.TASK_RUN, sorted(_histograms(totals, "run", "task").items()))
    yield _by_reason(families.IDEMPOTENCY_CHECKS, totals.by(events.CHECKED, "reason"), events.CHECK_OUTCOMES)
    yield _histogram(families.IDEMPOTENCY_CHECK, [(None, totals.histogram("check"))])
    yield _by_reason(families.RESCUED, totals.by(events.RESCUED, "queue"), (queue.name for queue in QUEUES))
    yield _histogram(families.RESCUE, [(None, totals.histogram("rescue"))])


def _counted(family: Family, totals: Numbers, event: str) -> CounterMetricFamily:
    """The event by as many of queue, task and reason as the family has labels."""
    found: Counter[tuple[str, ...]] = Counter()
    for field, count in totals.by_event.get(event, ()):
        found[(field.queue, field.task, field.reason)[: len(family.labels)]] += count
    made = family.counter()
    for values, count in sorted(found.items()):
        made.add_metric(values, count)
    return made


def _by_reason(family: Family, counted: dict[str, int], known: Iterable[str]) -> CounterMetricFamily:
    """With a 0 for what has never happened, so that the first time is an increase."""
    made = family.counter()
    for value, count in sorted((dict.fromkeys(known, 0) | counted).items()):
        made.add_metric([value], count)
    return made


def _within_sla(waits: Mapping[str, Histogram]) -> CounterMetricFamily:
    made = families.WAIT_WITHIN_SLA.counter()
    for queue in QUEUES:
        made.add_metric([queue.name], waits[queue.name].within(queue.sla_seconds))
    return made


def _histograms(totals: Numbers, measure: Measure, part: Literal["queue", "task"]) -> dict[str, Histogram]:
    """One for each queue or task, in one pass: there may be hundreds of tasks."""
    edges = events.EDGES_OF[measure]
    buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(edges) + 1))
    for field, count in totals.by_event.get(events.BUCKETS[measure], ()):
        if field.reason.isdecimal() and int(field.reason) <= len(edges):
            buckets[getattr(field, part)][int(field.reason)] += count
    sums = totals.by(events.SUMS[measure], part)
    return {
        name: Histogram(edges=edges, buckets=those, sum_seconds=sums.get(name, 0) / MICROSECONDS)
        for name, those in buckets.items()
    }


def _histogram(family: Family, found: Iterable[tuple[str | None, Histogram]]) -> HistogramMetricFamily:
    made = family.histogram()
    for label, histogram in found:
        buckets = [(f"{edge:g}", count) for edge, count in histogram.cumulative()] + [("+Inf", histogram.count)]
        made.add_metric([] if label is None else [label], buckets, histogram.sum_seconds)
    return made
