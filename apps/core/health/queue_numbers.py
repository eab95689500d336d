"""What has been counted, as it is said of queues, tasks and idempotency. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from ..metrics import events
from ..metrics.histogram import Histogram
from ..metrics.numbers import Numbers
from ..metrics.windows import Window
from ..queues import Queue

# Of the objective, and of the rate at which its error budget is used up. The longest is the objective's own period.
OBJECTIVE_WINDOWS: Final = (Window.M5, Window.H1, Window.H24, Window.D30)
RATED: Final = (events.PUBLISHED, events.STARTED, events.SUCCEEDED, events.FAILED, events.RETRIED)
PREVENTED: Final = ("answered", "failed", "skipped")  # outcomes of checks after which no body ran


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Seconds. None: nothing was counted."""

    p50: float | None
    p95: float | None
    p99: float | None

    @classmethod
    def of(cls, histogram: Histogram) -> Self:
        return cls(p50=histogram.percentile(0.5), p95=histogram.percentile(0.95), p99=histogram.percentile(0.99))


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    at: int  # seconds since the epoch at which it begins
    published: int
    started: int
    failed: int
    wait_p95: float | None = None  # seconds; None: no job started


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueNumbers:
    """None: nothing was counted in that time."""

    attainment: Mapping[Window, float | None]  # share of the jobs that started within the SLA
    late: Mapping[Window, int]  # those that did not
    error_budget: float | None  # what 30 days have left of it, from 1 to -1: overdrawn by as much again, or more
    burn_rate: Mapping[Window, float | None]  # how many times faster than planned the error budget is used up
    wait: Percentiles  # in the window that was asked for, as what follows
    run: Percentiles
    rate_per_minute: Mapping[str, float]  # by event
    arrive_per_minute: float  # in the last five minutes
    end_per_minute: float  # likewise, however they end
    minutes: tuple[Minute, ...]  # of the last hour, the oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskNumbers:
    name: str
    queue: str
    published: int
    started: int
    succeeded: int
    failed: int
    success_rate: float | None  # of those that have succeeded or failed; None: none has
    retries: Mapping[str, int]  # by reason
    run: Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyNumbers:
    checks_per_minute: float  # in the last five minutes
    duplicates_prevented_1h: int
    overhead_p99_ms: float | None  # in the last hour; None: nothing was checked


def queue_numbers(
    queue: Queue, numbers: Mapping[Window, Numbers], window: Window, minutes: tuple[Minute, ...]
) -> QueueNumbers:
    """`numbers`: of OBJECTIVE_WINDOWS, and of `window`."""
    waits = {each: numbers[each].histogram("wait", queue=queue.name) for each in OBJECTIVE_WINDOWS}
    attainment = {each: _attainment(queue, those) for each, those in waits.items()}
    burn_rate = {each: _burn_rate(queue, share) for each, share in attainment.items()}
    burnt, asked, recent = burn_rate[Window.D30], numbers[window], numbers[Window.M5]
    return QueueNumbers(
        attainment=attainment,
        late={each: those.count - those.within(queue.sla_seconds) for each, those in waits.items()},
        error_budget=None if burnt is None else max(1 - burnt, -1.0),
        burn_rate=burn_rate,
        wait=Percentiles.of(asked.histogram("wait", queue=queue.name)),
        run=Percentiles.of(asked.histogram("run", queue=queue.name)),
        rate_per_minute={event: _per_minute(asked, (event,), queue.name) for event in RATED},
        arrive_per_minute=_per_minute(recent, (events.PUBLISHED,), queue.name),
        end_per_minute=_per_minute(recent, events.ENDS, queue.name),
        minutes=minutes,
    )


def task_numbers(numbers: Numbers) -> tuple[TaskNumbers, ...]:
    """In the order of their names."""
    return tuple(_task(numbers, name, queue) for name, queue in numbers.tasks())


def idempotency_numbers(numbers: Mapping[Window, Numbers]) -> IdempotencyNumbers:
    hour = numbers[Window.H1]
    outcomes = hour.by(events.CHECKED, "reason")
    overhead = hour.histogram("check").percentile(0.99)
    return IdempotencyNumbers(
        checks_per_minute=_per_minute(numbers[Window.M5], (events.CHECKED,), None),
        duplicates_prevented_1h=sum(outcomes.get(outcome, 0) for outcome in PREVENTED),
        overhead_p99_ms=None if overhead is None else overhead * 1000,
    )


def _attainment(queue: Queue, waits: Histogram) -> float | None:
    return waits.within(queue.sla_seconds) / waits.count if waits.count else None


def _burn_rate(queue: Queue, attainment: float | None) -> float | None:
    return None if attainment is None else (1 - attainment) / (1 - queue.slo_target)


def _per_minute(numbers: Numbers, those: Iterable[str], queue: str | None) -> float:
    count = sum(numbers.count(event, queue=queue) for event in those)
    return count * 60 / numbers.span_seconds if numbers.span_seconds else 0.0


def _task(numbers: Numbers, name: str, queue: str) -> TaskNumbers:
    succeeded, failed = (numbers.count(event, queue=queue, task=name) for event in (events.SUCCEEDED, events.FAILED))
    return TaskNumbers(
        name=name,
        queue=queue,
        published=numbers.count(events.PUBLISHED, queue=queue, task=name),
        started=numbers.count(events.STARTED, queue=queue, task=name),
        succeeded=succeeded,
        failed=failed,
        success_rate=succeeded / (succeeded + failed) if succeeded + failed else None,
        retries=numbers.by(events.RETRIED, "reason", queue=queue, task=name),
        run=Percentiles.of(numbers.histogram("run", queue=queue, task=name)),
    )
