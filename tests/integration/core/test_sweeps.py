from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.contrib.auth.models import Group
from django.db import OperationalError

from apps.core import sweeps
from apps.core.sweeps import sweep
from apps.core.tasks.batches import process_batches

pytestmark = pytest.mark.django_db


def rows(count: int) -> Callable[[int, int], Sequence[int]]:
    """A selection of the ids 1 to `count`."""
    return lambda after, limit: list(range(after + 1, count + 1))[:limit]


class Clock:
    """A clock that moves on by one second at each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_every_row_is_handled_once_and_counted() -> None:
    handled: list[int] = []

    def handle(row_id: int) -> Counter[str]:
        handled.append(row_id)
        return Counter(closed=1, mails=row_id % 2)

    outcome = sweep(select=rows(1001), handle=handle, budget_seconds=1e9)
    assert handled == list(range(1, 1002))
    assert outcome.counts == Counter(found=1001, closed=1001, mails=501)
    assert outcome.errors == []
    assert outcome.resume_after is None


def test_a_bad_row_costs_one_row_and_its_effects_are_undone() -> None:
    def handle(row_id: int) -> Counter[str]:
        Group.objects.create(name=f"g{row_id}")
        if row_id == 3:
            raise ValueError("no such user ann@example.com")
        return Counter(done=1)

    outcome = sweep(select=rows(5), handle=handle, budget_seconds=1e9)
    assert outcome.counts == Counter(found=5, done=4, failed=1)
    assert outcome.errors == [{"id": 3, "reason": "ValueError: no such user [e-mail]"}]
    made = Group.objects.filter(name__startswith="g")  # others are there from the start
    assert sorted(made.values_list("name", flat=True)) == ["g1", "g2", "g4", "g5"]


@pytest.mark.parametrize("error", [OperationalError("gone"), SoftTimeLimitExceeded()], ids=repr)
def test_what_is_no_fault_of_a_row_ends_the_sweep(error: Exception) -> None:
    def handle(row_id: int) -> Counter[str]:
        raise error

    with pytest.raises(type(error)):
        sweep(select=rows(5), handle=handle, budget_seconds=1e9)


def test_a_sweep_out_of_time_says_where_to_resume_and_nothing_is_left_out() -> None:
    handled: list[int] = []

    def handle(row_id: int) -> Counter[str]:
        handled.append(row_id)
        return Counter()

    after: int | None = 0
    portions = 0
    while after is not None:
        outcome = sweep(select=rows(25), handle=handle, after=after, budget_seconds=10, clock=Clock())
        after, portions = outcome.resume_after, portions + 1
    assert handled == list(range(1, 26))
    assert portions == 3


def test_every_portion_of_a_sweep_gets_on() -> None:
    done = []
    after: int | None = 0
    while after is not None:
        outcome = sweep(select=rows(3), handle=lambda _: Counter(), after=after, budget_seconds=0, clock=Clock())
        done.append(outcome.counts["found"])
        after = outcome.resume_after
    assert done == [1, 1, 1, 0]


def test_the_list_of_errors_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "MAX_ERRORS", 10)

    def handle(row_id: int) -> Counter[str]:
        raise ValueError

    outcome = sweep(select=rows(50), handle=handle, budget_seconds=1e9)
    assert len(outcome.errors) == 10
    assert outcome.counts["failed"] == 50


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_a_batch_processes_any_iterable_and_its_numbers_add_up(batch_size: int) -> None:
    def process(number: int) -> None:
        Group.objects.create(name=f"g{number}")
        if number % 3 == 0:
            raise ValueError("third")

    result = process_batches((number for number in range(10)), process, batch_size)
    assert (result.total, result.processed, result.failed) == (10, 6, 4)
    assert result.processed + result.failed == result.total
    assert [error["item"] for error in result.errors] == ["0", "3", "6", "9"]
    assert Group.objects.filter(name__startswith="g").count() == 6


def test_a_batch_of_nothing_is_no_error() -> None:
    assert process_batches([], print).total == 0


def test_a_batch_needs_a_size() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        process_batches([1], print, batch_size=0)
