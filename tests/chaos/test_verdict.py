from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest

from .journal import Line
from .scenario import SHORT, Blow, Scenario
from .verdict import Struck, Verdict


def verdict(*lines: str, struck: Iterable[Struck] = (), **facts: Any) -> Verdict:
    """Of lines such as "start 3.5 A": job 1, at that second, in the process of that letter."""
    parts = [line.split() for line in lines]
    all_facts: dict[str, Any] = {"unexpected_exits": [], "left": {}, "seconds": 1.0, "tracebacks": 0} | facts
    return Verdict(
        lines=[Line(deed, 1, float(at), ord(process)) for deed, at, process in parts],
        struck=list(struck),
        **all_facts,
    )


def kill(at: float, process: str) -> Struck:
    return Struck(blow=Blow.KILL_WORKER, at=at, until=at, dead=frozenset({ord(process)}))


def server_away(at: float, until: float) -> Struck:
    return Struck(blow=Blow.KILL_SERVER, at=at, until=until)


def test_a_job_that_ran_once_breaks_no_promise() -> None:
    assert verdict("published 0 E", "start 1 A", "end 2 A").broken == []


@pytest.mark.parametrize("run", [(), ("start 1 A",)])
def test_a_job_without_an_end_is_lost(run: tuple[str, ...]) -> None:
    found = verdict("published 0 E", *run)
    assert found.lost == [1]
    assert found.broken == ["1 lost: [1]"]


def test_a_job_that_was_refused_is_not_lost() -> None:
    assert verdict("refused 0 E").broken == []


def test_two_ends_are_one_too_many() -> None:
    found = verdict("published 0 E", "start 1 A", "end 2 A", "start 3 B", "end 4 B")
    assert found.broken == ["1 finished twice: [1]"]


@pytest.mark.parametrize(("killed_at", "counts"), [(2.049, False), (2.051, True), (1.9, True)])
def test_an_end_that_nobody_could_hear_of_is_counted_apart(killed_at: float, counts: bool) -> None:
    lines = ("published 0 E", "start 1 A", "end 2 A", "start 7 B", "end 8 B")
    found = verdict(*lines, struck=[kill(killed_at, "A")])
    assert (found.finished_twice, found.finished_twice_untold) == (([1], []) if counts else ([], [1]))


def test_the_kill_of_another_process_excuses_nothing() -> None:
    lines = ("published 0 E", "start 1 A", "end 2 A", "start 3 B", "end 4 B")
    assert verdict(*lines, struck=[kill(2.01, "C")]).finished_twice == [1]


def test_a_third_end_is_not_excused_by_the_first() -> None:
    lines = ("published 0 E", "start 1 A", "end 2 A", "start 3 B", "end 4 B", "start 5 C", "end 6 C")
    assert verdict(*lines, struck=[kill(2.01, "A")]).finished_twice == [1]


def test_a_rescue_takes_from_the_kill_to_the_next_start() -> None:
    lines = ("published 0 E", "start 1 A", "start 10.5 B", "end 11 B")
    found = verdict(*lines, struck=[kill(2, "A")])
    assert [rescue.seconds for rescue in found.rescues] == [8.5]
    assert found.broken == ["a rescue took 8.5 s"]


def test_while_the_server_is_away_nobody_can_be_rescued() -> None:
    lines = ("published 0 E", "start 1 A", "start 11 B", "end 12 B")
    found = verdict(*lines, struck=[kill(2, "A"), server_away(3, 5)])
    (rescue,) = found.rescues
    assert (rescue.seconds, rescue.serving_seconds, rescue.server_was_away) == (9, 6, True)
    assert found.broken == []


def test_a_job_that_ended_before_its_process_was_killed_needs_no_rescue() -> None:
    found = verdict("published 0 E", "start 1 A", "end 2 A", struck=[kill(3, "A")])
    assert (found.rescues, found.killed_attempts) == ([], 0)


def test_a_start_without_end_and_kill_is_told_apart() -> None:
    found = verdict("published 0 E", "start 1 A", "start 2 B", "end 3 B")
    assert (found.broken_off, found.rescues) == ([1], [])


def test_a_worker_that_ends_by_itself_breaks_a_promise() -> None:
    found = verdict("published 0 E", "start 1 A", "end 2 A", unexpected_exits=["threads"])
    assert found.broken == ["workers ended by themselves: threads"]


@pytest.mark.parametrize("scenario", [Scenario(), SHORT], ids=["long", "short"])
def test_blows_keep_their_distance_and_fit_into_the_run(scenario: Scenario) -> None:
    blows = scenario.blows(seed=1)
    assert blows == scenario.blows(seed=1) != scenario.blows(seed=2)
    assert all(
        later - (at + scenario.lasts(blow)) >= scenario.gap - 1e-9 for (at, blow), (later, _) in pairwise(blows)
    )
    last, blow = blows[-1]
    assert last + scenario.lasts(blow) <= scenario.seconds
