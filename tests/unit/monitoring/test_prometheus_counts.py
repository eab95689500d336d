"""Counters and histograms for Prometheus, out of the store's totals."""

import math
from typing import Any

from apps.core.metrics.events import EDGES, field
from apps.core.metrics.numbers import Numbers
from apps.core.queues import QUEUES
from apps.monitoring.prometheus.counts import of_totals

COUNTS = {
    field("published", "email", task="send_mail"): 5,
    field("failed", "email", "permanent", "send_mail"): 2,
    field("failed", "email", "transient", "send_mail"): 1,
    field("retried", "email", "transient", "send_mail"): 4,
    field("wait_le", "email", "0", "send_mail"): 3,  # up to 0.05 s
    field("wait_le", "email", "7", "send_mail"): 2,  # up to 5 s, the SLA
    field("wait_le", "email", "8", "other task"): 1,  # up to 10 s
    field("wait_le", "email", "15", "other task"): 1,  # above all edges
    field("wait_us", "email", "-", "send_mail"): 2_500_000,
    field("run_le", "email", "4", "send_mail"): 7,
    field("run_le", "reports", "4", "send_mail"): 1,
    field("run_us", "email", "-", "send_mail"): 4_000_000,
    field("checked", "email", "answered", "send_mail"): 6,
    field("check_le", "email", "1", "send_mail"): 6,
    field("rescued", "email"): 1,
    field("rescue_le", "email", "8"): 1,
    field("rescue_us", "email"): 6_100_000,
}


def samples(counts: dict[str, int] = COUNTS) -> dict[tuple[Any, ...], float]:
    totals = Numbers.read({name.encode(): count for name, count in counts.items()}, span_seconds=math.inf)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in of_totals(totals)
        for sample in metric.samples
    }


def test_counts_of_tasks_carry_queue_task_and_reason() -> None:
    found = samples()
    assert found["bgjobs_task_published_total", "email", "send_mail"] == 5
    assert found["bgjobs_task_failed_total", "email", "send_mail", "permanent"] == 2
    assert found["bgjobs_task_failed_total", "email", "send_mail", "transient"] == 1
    assert found["bgjobs_task_retried_total", "email", "send_mail", "transient"] == 4


def test_a_histogram_is_cumulative_and_has_its_sum() -> None:
    found = samples()
    assert found["bgjobs_task_wait_seconds_bucket", "email", "0.05"] == 3
    assert found["bgjobs_task_wait_seconds_bucket", "email", "3"] == 3
    assert found["bgjobs_task_wait_seconds_bucket", "email", "5"] == 5
    assert found["bgjobs_task_wait_seconds_bucket", "email", "10"] == 6
    assert found["bgjobs_task_wait_seconds_bucket", "email", "1800"] == 6
    assert found["bgjobs_task_wait_seconds_bucket", "email", "+Inf"] == 7
    assert found["bgjobs_task_wait_seconds_count", "email"] == 7
    assert found["bgjobs_task_wait_seconds_sum", "email"] == 2.5
    edges = [key[2] for key in found if key[:2] == ("bgjobs_task_wait_seconds_bucket", "email")]
    assert edges == [f"{edge:g}" for edge in EDGES] + ["+Inf"]


def test_runs_of_a_task_are_of_all_its_queues() -> None:
    assert samples()["bgjobs_task_run_seconds_count", "send_mail"] == 8
    assert samples()["bgjobs_task_run_seconds_sum", "send_mail"] == 4


def test_what_began_within_the_sla_is_counted_to_the_edge() -> None:
    assert samples()["bgjobs_task_wait_within_sla_total", "email"] == 5


def test_checks_and_rescues_are_told() -> None:
    found = samples()
    assert found["bgjobs_idempotency_checks_total", "answered"] == 6
    assert found["bgjobs_idempotency_check_seconds_count",] == 6
    assert found["bgjobs_rescued_total", "email"] == 1
    assert found["bgjobs_rescue_seconds_sum",] == 6.1


def test_what_has_never_happened_is_0_so_that_the_first_time_is_an_increase() -> None:
    found = samples({})
    for queue in QUEUES:
        assert found["bgjobs_task_wait_seconds_count", queue.name] == 0
        assert found["bgjobs_task_wait_within_sla_total", queue.name] == 0
        assert found["bgjobs_rescued_total", queue.name] == 0
    assert found["bgjobs_idempotency_checks_total", "store_down"] == 0
    assert not any(name.startswith("bgjobs_task_published") for name, *_ in found)


def test_a_bucket_that_does_not_exist_is_ignored() -> None:
    wrong = {field("wait_le", "email", "99", "send_mail"): 1, field("wait_le", "email", "x", "send_mail"): 1}
    assert samples(wrong)["bgjobs_task_wait_seconds_count", "email"] == 0
