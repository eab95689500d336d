"""Two answers are the same where nothing that people watch has changed."""

from typing import Any

import pytest

from apps.monitoring.api.answers import etag_of
from apps.monitoring.api.sameness import comparable

FACTS: dict[str, Any] = {
    "generated_at": "2026-11-26T12:00:00Z",
    "known_at": "2026-11-26T12:00:00Z",
    "known_age_seconds": 0.0,
    "stale": False,
    "schedules": {"last_firing_age_seconds": 30.0, "entries": 9},
    "broker": {"memory_used_bytes": 8_123_456, "memory_used_ratio": 0.410_12},
    "queues": [{"name": "email", "ready": 3, "oldest_age_seconds": 7.4}],
}


def later(seconds: int, **changes: Any) -> dict[str, Any]:
    """The same facts, so much later, while nothing has happened."""
    moment = f"2026-11-26T12:00:{seconds:02}Z"
    age = FACTS["schedules"]["last_firing_age_seconds"] + seconds
    schedules = FACTS["schedules"] | {"last_firing_age_seconds": age}
    return FACTS | {"generated_at": moment, "known_at": moment, "schedules": schedules} | changes


def tag(facts: dict[str, Any]) -> str:
    return etag_of(comparable(facts))


def test_time_alone_changes_nothing() -> None:
    assert tag(later(5)) == tag(FACTS)


@pytest.mark.parametrize(
    "change",
    [
        {"queues": [{"name": "email", "ready": 4, "oldest_age_seconds": 7.4}]},
        {"queues": [{"name": "email", "ready": 3, "oldest_age_seconds": 12.4}]},
        {"queues": [{"name": "email", "ready": 3, "oldest_age_seconds": None}]},
        {"schedules": {"last_firing_age_seconds": 1.0, "entries": 9}},
        {"schedules": {"last_firing_age_seconds": None, "entries": 9}},
        {"broker": {"memory_used_bytes": 8_123_456, "memory_used_ratio": 0.5}},
        {"stale": True},
    ],
)
def test_what_people_watch_changes_it(change: dict[str, Any]) -> None:
    assert tag(later(5, **change)) != tag(FACTS)


def test_nobody_sees_more_than_three_digits() -> None:
    assert tag(FACTS | {"broker": {"memory_used_bytes": 8_124_000, "memory_used_ratio": 0.410_4}}) == tag(FACTS)


def test_counts_are_exact() -> None:
    many, one_more = ([{"name": "email", "ready": count}] for count in (1_000_000, 1_000_001))
    assert tag(FACTS | {"queues": many}) != tag(FACTS | {"queues": one_more})


def test_what_is_stale_is_the_same_while_it_is_of_the_same_moment() -> None:
    stale = {"stale": True, "known_at": "2026-11-26T11:00:00Z", "schedules": FACTS["schedules"]}
    first = later(0, **stale, known_age_seconds=3600.0)
    assert tag(later(5, **stale, known_age_seconds=3605.0)) == tag(first)
    assert tag(later(5, **stale | {"known_at": "2026-11-26T11:30:00Z"})) != tag(first)


def test_the_facts_themselves_stay_as_they_are() -> None:
    before = repr(FACTS)
    comparable(FACTS)
    assert repr(FACTS) == before
