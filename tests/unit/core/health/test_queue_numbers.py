"""Attainment, error budget, burn rates and what else is made of counts."""

import pytest

from apps.core.health.queue_numbers import idempotency_numbers, queue_numbers, task_numbers
from apps.core.metrics.events import field, parse
from apps.core.metrics.numbers import Numbers
from apps.core.metrics.windows import Window
from apps.core.queues import QUEUE_BY_NAME

CRITICAL = QUEUE_BY_NAME["critical"]  # 2 s, which is the edge at place 5


def counted(counts: dict[str, int], span: float = 3600) -> Numbers:
    return Numbers.of({parse(name.encode()): count for name, count in counts.items()}, span_seconds=span)


def waits(in_time: int, late: int, span: float = 3600) -> Numbers:
    return counted(
        {field("wait_le", "critical", "5", "a"): in_time, field("wait_le", "critical", "6", "a"): late}, span
    )


NOTHING = counted({})


def of(**numbers: Numbers):
    """By window, as in H1=…; nothing was counted in the others."""
    found = {window: numbers.get(window.name, NOTHING) for window in Window}
    return queue_numbers(CRITICAL, found, Window.H1, ())


def test_attainment_is_the_share_that_started_within_the_sla() -> None:
    found = of(M5=waits(61, 39), H1=waits(97, 3), D30=waits(9938, 62))
    assert (found.attainment[Window.M5], found.attainment[Window.H1]) == (0.61, 0.97)
    assert found.attainment[Window.D30] == pytest.approx(0.9938)


def test_where_nothing_was_counted_nothing_is_said() -> None:
    found = of()
    assert set(found.attainment.values()) == set(found.burn_rate.values()) == {None}
    assert found.error_budget is None
    assert (found.wait.p50, found.wait.p95, found.wait.p99) == (None, None, None)


def test_the_burn_rate_is_one_where_as_many_are_late_as_may_be() -> None:
    found = of(H1=waits(99, 1), M5=waits(97, 3))
    assert found.burn_rate[Window.H1] == pytest.approx(1.0)
    assert found.burn_rate[Window.M5] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("late", "left"),
    [(0, 1.0), (62, 0.38), (100, 0.0), (150, -0.5), (200, -1.0), (5000, -1.0)],
)
def test_the_error_budget_says_what_is_left_and_what_is_overdrawn(late: int, left: float) -> None:
    assert of(D30=waits(10_000 - late, late)).error_budget == pytest.approx(left)


def test_rates_are_a_minutes_and_of_one_queue() -> None:
    counts = {field("published", "critical", "-", "a"): 300, field("published", "email", "-", "b"): 7}
    ends = {field("succeeded", "critical", "-", "a"): 90, field("failed", "critical", "permanent", "a"): 10}
    found = of(H1=counted(counts), M5=counted(counts | ends, span=300))
    assert found.rate_per_minute["published"] == 5.0
    assert found.rate_per_minute["failed"] == 0.0
    assert (found.arrive_per_minute, found.end_per_minute) == (60.0, 20.0)


def test_tasks_are_told_by_name_with_why_they_were_retried() -> None:
    numbers = counted(
        {
            field("succeeded", "email", "-", "send mail"): 48,
            field("failed", "email", "permanent", "send mail"): 2,
            field("retried", "email", "transient", "send mail"): 3,
            field("retried", "email", "timeout", "send mail"): 1,
            field("published", "critical", "-", "close"): 5,
        }
    )
    close, mail = task_numbers(numbers)
    assert (close.name, close.queue, close.published, close.success_rate) == ("close", "critical", 5, None)
    assert (mail.name, mail.succeeded, mail.failed, mail.success_rate) == ("send mail", 48, 2, 0.96)
    assert mail.retries == {"transient": 3, "timeout": 1}


def test_duplicates_that_were_prevented_are_those_of_which_no_body_ran() -> None:
    outcomes = {"claimed": 100, "answered": 5, "failed": 2, "skipped": 5, "waiting": 9, "store_down": 1}
    counts = {field("checked", "email", outcome, "a"): count for outcome, count in outcomes.items()}
    times = {field("check_le", "email", "1", "a"): 122}  # from 0.5 to 1 ms
    hour = counted(counts | times)
    found = idempotency_numbers(dict.fromkeys(Window, NOTHING) | {Window.H1: hour, Window.M5: counted(counts, 300)})
    assert found.duplicates_prevented_1h == 12
    assert found.checks_per_minute == pytest.approx(122 / 5)
    assert found.overhead_p99_ms == pytest.approx(0.995)


def test_without_checks_their_time_is_not_known() -> None:
    assert idempotency_numbers(dict.fromkeys(Window, NOTHING)).overhead_p99_ms is None
