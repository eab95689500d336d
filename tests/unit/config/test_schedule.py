"""The shipped timetable: proved, and the optimum."""

from datetime import UTC, datetime
from itertools import combinations

import pytest

from apps.core.checks import loaded_tasks
from apps.core.schedules.patterns import least_gap, shortest_period
from apps.core.schedules.rules import judge
from apps.core.schedules.timetable import Line, Timetable
from apps.core.timetable.gather import gather
from apps.core.timetable.suggestion import suggest
from intelliwiz_config.celery import app
from intelliwiz_config.schedule import ENTRIES

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def timetable() -> Timetable:
    tasks = {task.name: task for task in loaded_tasks(of_engine_only=False)}
    return gather(app, tasks, at=AT)


def line(timetable: Timetable, name: str) -> Line:
    return next(line for line in timetable.lines if line.name == name)


def test_nothing_is_wrong_with_it(timetable: Timetable) -> None:
    assert len(timetable.lines) == len(ENTRIES) > 0
    assert judge(timetable) == []


def test_no_two_entries_ever_share_a_minute(timetable: Timetable) -> None:
    patterns = [line.pattern for line in timetable.lines]
    assert all(pattern is not None for pattern in patterns)
    assert all(least_gap(one, other) for one, other in combinations(patterns, 2))  # type: ignore[arg-type]


def test_the_two_critical_sweeps_stand_exactly_fifteen_minutes_apart(timetable: Timetable) -> None:
    pair = line(timetable, "auto_close_jobs"), line(timetable, "ticket_escalation")
    assert [each.destination for each in pair] == ["critical", "critical"]
    patterns = [each.pattern for each in pair]
    assert least_gap(*patterns) == 15  # type: ignore[arg-type]
    assert {shortest_period(pattern) for pattern in patterns} == {30}  # type: ignore[arg-type]


def test_the_free_entries_stand_at_the_optimum(timetable: Timetable) -> None:
    suggestion = suggest(timetable, [])
    assert suggestion.proved
    assert suggestion.moves == ()


def test_every_job_expires_before_the_next_firing_of_its_entry(timetable: Timetable) -> None:
    for each in timetable.lines:
        assert each.expires is not None
        assert each.period_seconds is not None
        assert each.expires < each.period_seconds


def test_every_entry_is_known_where_it_stands(timetable: Timetable) -> None:
    assert {each.place.file for each in timetable.lines if each.place} == {"intelliwiz_config/schedule.py"}
    assert all(each.place for each in timetable.lines)
