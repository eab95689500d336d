from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from ..journal import Line
from ..verdict import Struck
from .ledger import Books, Done
from .scenario import ACCOUNTS, OPENING, SHORT, Blow, Scenario, Way
from .verdict import Verdict

SEED = 1
JOB, CHILD = 10, 20
WAYS = ("inside", "outside")  # of enqueueing, told with the number of the transfer


def done(job: int = JOB, child: int = CHILD, *, durable_child: bool = True, at: float = 5.0) -> Done:
    return Done(job=job, number=0, child=child, durable_child=durable_child, at=at)


def balances(*, times: int = 1) -> dict[str, Decimal]:
    """After transfer 0 has happened so often."""
    moved = SHORT.transfer(SEED, 0)
    return dict.fromkeys(ACCOUNTS, OPENING) | {
        moved.source: OPENING - times * moved.amount,
        moved.target: OPENING + times * moved.amount,
    }


def verdict(
    *deeds: str,
    struck: Any = (),
    known_rows: int = 0,
    exits: Any = (),
    worker_exits: int = 0,
    forgotten: int = 0,
    **books: Any,
) -> Verdict:
    """Of deeds such as "outside": of JOB, one per second. Without more, it is committed and all is well."""
    all_books: dict[str, Any] = {
        "balances": balances(),
        "orders": {JOB},
        "done": [done()],
        "children": Counter({(CHILD, JOB): 1}),
        "outbox": 0,
        "dead_letters": 0,
    }
    return Verdict(
        scenario=SHORT,
        seed=SEED,
        lines=[Line(f"{deed}:0" if deed in WAYS else deed, JOB, float(at), 1) for at, deed in enumerate(deeds)],
        books=Books(**(all_books | books)),
        struck=struck,
        worker_exits=worker_exits,
        unexpected_exits=exits,
        known_rows=known_rows,
        left={},
        forgotten=forgotten,
        seconds=1.0,
        tracebacks=0,
    )


NOTHING: dict[str, Any] = {"done": [], "children": Counter(), "balances": balances(times=0)}


def broken(found: Verdict) -> list[str]:
    """The beginnings of what is broken."""
    return [" ".join(words.split(":")[0].split()[:3]) for words in found.broken]


def test_a_committed_job_that_has_happened_once_breaks_no_promise() -> None:
    assert verdict("inside", "start").broken == []


def test_a_committed_job_without_effect_is_lost_and_its_amount_is_missing() -> None:
    assert broken(verdict("inside", **NOTHING)) == ["1 transfers are", "accounts that are"]


@pytest.mark.parametrize("evidence", ["outbox.written", "outbox.published", "relay.published", "returned"])
def test_outside_of_a_transaction_whoever_is_past_the_row_has_committed(evidence: str) -> None:
    assert verdict("outside", evidence, orders=set[int](), **NOTHING).lost == [0]


@pytest.mark.parametrize("facts", [NOTHING, {}], ids=["not done", "done"])
def test_whose_enqueuer_was_killed_on_the_way_may_be_done_or_not(facts: dict[str, Any]) -> None:
    assert verdict("outside", orders=set[int](), **facts).broken == []


def test_two_effects_are_one_too_many() -> None:
    twice = verdict("inside", done=[done(), done()], balances=balances(times=2))
    assert broken(twice) == ["1 transfers were", "accounts that are"]


def test_another_job_with_the_same_key_is_answered() -> None:
    assert verdict("inside", orders={JOB}, done=[done(JOB + 1)], children=Counter({(CHILD, JOB + 1): 1})).lost == []


def test_a_job_of_a_rolled_back_transaction_must_not_even_start() -> None:
    assert verdict("inside", orders=set[int](), **NOTHING).broken == []
    assert broken(verdict("inside", "start", orders=set[int](), **NOTHING)) == ["1 ran though"]


@pytest.mark.parametrize(
    ("durable_child", "lost_data_at", "is_missing"),
    [(True, 6.0, True), (False, 6.0, False), (False, 4.0, True), (False, None, True)],
)
def test_only_a_plain_child_may_go_with_the_brokers_data(
    durable_child: bool, lost_data_at: float | None, is_missing: bool
) -> None:
    struck = [Struck(blow=Blow.FLUSH, at=at, until=at) for at in [lost_data_at] if at is not None]
    found = verdict(
        "inside", struck=struck, done=[done(durable_child=durable_child, at=5.0)], children=Counter[tuple[int, int]]()
    )
    assert broken(found) == (["1 children are"] if is_missing else [])
    assert found.children_lost_with_data == (0 if is_missing else 1)


@pytest.mark.parametrize("durable_child", [True, False])
def test_only_a_plain_child_may_run_twice(durable_child: bool) -> None:
    found = verdict("inside", done=[done(durable_child=durable_child)], children=Counter({(CHILD, JOB): 2}))
    assert broken(found) == (["1 durable children"] if durable_child else [])


def test_a_child_of_an_attempt_that_was_rolled_back_must_not_run() -> None:
    children = Counter({(CHILD, JOB): 1, (CHILD + 1, JOB): 1})
    assert broken(verdict("inside", children=children)) == ["1 children of"]


def test_what_is_left_over_and_who_has_ended_by_himself_is_told() -> None:
    found = verdict("inside", outbox=1, known_rows=2, exits=["relay-1"])
    assert broken(found) == ["1 rows are", "the broker still", "processes ended by"]


def test_what_a_relay_publishes_again_is_told_from_what_it_publishes_at_first() -> None:
    first = verdict("inside", "relay.published")
    again = verdict("inside", "outbox.published", "relay.published")
    assert (first.published_by_relay_first, first.republished) == (1, 0)
    assert (again.published_by_relay_first, again.republished) == (0, 1)


@pytest.mark.parametrize("scenario", [Scenario(), SHORT], ids=["long", "short"])
def test_as_many_jobs_are_to_be_committed_as_asked_for_and_each_way_is_taken(scenario: Scenario) -> None:
    steps = list(scenario.steps(SEED))
    assert steps == list(scenario.steps(SEED)) != list(scenario.steps(SEED + 1))
    assert sum(len(step.numbers) for step in steps) == scenario.jobs
    assert {step.way for step in steps} == {*Way}
    assert {blow for _, blow in scenario.blows(SEED)} == {*Blow}


def test_a_worker_that_ends_by_itself_and_a_lease_that_nobody_knows_break_promises() -> None:
    assert broken(verdict("inside", "start", worker_exits=2)) == ["2 workers ended"]
    assert broken(verdict("inside", "start", forgotten=1)) == ["1 leases were"]
