"""Every metric that there is: the one table that the exporter, the alert rules' test and the documentation go by."""

from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    name: str  # of a histogram without _bucket, _count and _sum
    kind: Kind
    labels: tuple[str, ...] = ()
    help: str

    def counter(self) -> CounterMetricFamily:
        return CounterMetricFamily(self.name, self.help, labels=self.labels)

    def gauge(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(self.name, self.help, labels=self.labels)

    def histogram(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self.name, self.help, labels=self.labels)

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which its samples can be asked for."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))
        return (self.name,)


def _counter(name: str, help: str, *labels: str) -> Family:  # noqa: A002 - Prometheus's word
    return Family(name=name, kind="counter", labels=labels, help=help)


def _gauge(name: str, help: str, *labels: str) -> Family:  # noqa: A002
    return Family(name=name, kind="gauge", labels=labels, help=help)


def _histogram(name: str, help: str, *labels: str) -> Family:  # noqa: A002
    return Family(name=name, kind="histogram", labels=labels, help=help)


# From the store's totals: they go on from where they were when a process restarts.
TASK_PUBLISHED: Final = _counter(
    "bgjobs_task_published_total", "Messages published, retries among them.", "queue", "task"
)
TASK_STARTED: Final = _counter("bgjobs_task_started_total", "Attempts that began.", "queue", "task")
TASK_SUCCEEDED: Final = _counter("bgjobs_task_succeeded_total", "Attempts that succeeded.", "queue", "task")
TASK_FAILED: Final = _counter(
    "bgjobs_task_failed_total", "Attempts after which the job was given up, by why.", "queue", "task", "reason"
)
TASK_RETRIED: Final = _counter(
    "bgjobs_task_retried_total", "Attempts after which another one follows, by why.", "queue", "task", "reason"
)
TASK_DEDUPLICATED: Final = _counter(
    "bgjobs_task_deduplicated_total", "Duplicates that were answered and not run.", "queue", "task"
)
TASK_WAIT: Final = _histogram("bgjobs_task_wait_seconds", "From the moment a job may start to its start.", "queue")
TASK_RUN: Final = _histogram("bgjobs_task_run_seconds", "How long an attempt ran.", "task")
WAIT_WITHIN_SLA: Final = _counter(
    "bgjobs_task_wait_within_sla_total", "Attempts that began within the SLA of their queue.", "queue"
)
IDEMPOTENCY_CHECKS: Final = _counter(
    "bgjobs_idempotency_checks_total", "Checks of idempotency keys, by what came of them.", "outcome"
)
IDEMPOTENCY_CHECK: Final = _histogram(
    "bgjobs_idempotency_check_seconds", "What idempotency costs a job: claiming its key and finishing it."
)
RESCUED: Final = _counter("bgjobs_rescued_total", "Messages given back from dead workers.", "queue")
RESCUE: Final = _histogram("bgjobs_rescue_seconds", "From the death of a worker to the return of its messages.")

# How things stand.
QUEUE_LENGTH: Final = _gauge(
    "bgjobs_queue_length", "Messages that wait (ready), are not due yet (delayed) or are with workers (leased).",
    "queue", "state",
)  # fmt: skip
QUEUE_OLDEST: Final = _gauge(
    "bgjobs_queue_oldest_message_age_seconds", "How long the oldest message has waited; 0: none waits.", "queue"
)
QUEUE_SLA: Final = _gauge("bgjobs_queue_sla_seconds", "Within which a job is to start.", "queue")
QUEUE_SLO: Final = _gauge("bgjobs_queue_slo_target", "The share of jobs that is to start within the SLA.", "queue")
QUEUE_PAUSED: Final = _gauge("bgjobs_queue_paused", "1: somebody has paused it.", "queue")
QUEUE_CONSUMERS: Final = _gauge("bgjobs_queue_consumers", "Living workers that are seen to serve it.", "queue")
BREAKER_STATE: Final = _gauge(
    "bgjobs_breaker_state", "0: closed, 1: half open, 2: open. A breaker that is at rest has no line.", "name"
)
BROKER_MEMORY: Final = _gauge("bgjobs_broker_memory_used_ratio", "Of the memory that the broker may use.")
BEATS_ALIVE: Final = _gauge("bgjobs_beats_alive", "Processes that fire the timetable.")
LAST_START: Final = _gauge(
    "bgjobs_schedule_last_start_timestamp_seconds", "When a job of the entry last started.", "entry"
)
LAST_SUCCESS: Final = _gauge(
    "bgjobs_schedule_last_success_timestamp_seconds", "When a job of the entry last succeeded.", "entry"
)
NEXT_DUE: Final = _gauge(
    "bgjobs_schedule_next_due_timestamp_seconds", "The first instant that no beat has seen to.", "entry"
)
MISSED: Final = _counter(
    "bgjobs_schedule_missed_total", "Due instants that were not fired: no beat ran, and none caught up.", "entry"
)
OUTBOX_PENDING: Final = _gauge("bgjobs_outbox_pending", "Rows that wait to be published.")
DEAD_LETTERS: Final = _gauge("bgjobs_dead_letters", "Open dead letters, by why their jobs were given up.", "reason")
OPERATOR_ACTIONS: Final = _counter(
    "bgjobs_operator_actions_total", "What operators did that has ended, by how.", "action", "result"
)
UP: Final = _gauge("bgjobs_up", "1: the source (broker, database) could be read.", "source")
LAST_COLLECTED: Final = _gauge(
    "bgjobs_collector_last_success_timestamp_seconds", "When all sources could last be read."
)

FAMILIES: Final = tuple(value for value in globals().values() if isinstance(value, Family))
