"""The JSON document: its keys and types, in good times and bad."""

import json
from datetime import timedelta
from typing import Any

import pytest

from apps.core.health.facts import facts
from apps.core.health.snapshot import Snapshot
from apps.core.health.verdict import verdict
from apps.core.metrics.windows import Window

from . import situations as at
from .situations import NOW, late, well

NUMBER, TEXT = (int, float), str
SHAPE: dict[str, Any] = {
    "schema_version": int,
    "generated_at": TEXT,
    "stale": bool,
    "status": TEXT,
    "broker": {"kind": TEXT, "version": TEXT, "reachable": bool, "memory_used_ratio": NUMBER, "evicted_keys": int},
    "queues": [
        {
            "name": TEXT,
            "rank": int,
            "sla_seconds": float,
            "ready": int,
            "leased": int,
            "delayed": int,
            "oldest_age_seconds": NUMBER,
            "consumers": int,
            "paused": (dict, bool),
            "sla_ratio": {"5m": NUMBER, "1h": NUMBER, "30d": NUMBER},
            "error_budget_remaining": NUMBER,
            "burn_rate_1h": NUMBER,
            "wait_seconds": {"p50": NUMBER, "p95": NUMBER, "p99": NUMBER},
            "run_seconds": {"p50": NUMBER, "p95": NUMBER, "p99": NUMBER},
            "rate_per_minute": dict.fromkeys(("published", "started", "succeeded", "failed", "retried"), NUMBER),
        }
    ],
    "workers": {"online": int, "processes_busy": int, "processes_total": int, "versions": list},
    "schedules": {
        "beats_alive": int,
        "last_firing_age_seconds": NUMBER,
        "entries": int,
        "paused": int,
        "missed": list,
    },
    "idempotency": {"checks_per_minute": NUMBER, "duplicates_prevented_1h": int, "overhead_p99_ms": NUMBER},
    "failures": {"open_fingerprints": int, "dead_letters": int},
    "outbox": {"pending": int, "oldest_age_seconds": NUMBER},
}


def told(snapshot: Snapshot, **options: Any) -> dict[str, Any]:
    """As a reader of the JSON gets it."""
    found: dict[str, Any] = json.loads(json.dumps(facts(snapshot, verdict(snapshot), **options), allow_nan=False))
    return found


def assert_shape(found: Any, shape: Any, path: str = "") -> None:
    """Every key is there; what is null is not known."""
    if isinstance(shape, dict):
        assert shape.keys() <= found.keys(), path
        for name, inner in shape.items():
            assert_shape(found[name], inner, f"{path}.{name}")
    elif isinstance(shape, list):
        for one in found or ():
            assert_shape(one, shape[0], f"{path}[]")
    else:
        assert found is None or isinstance(found, shape), path


SITUATIONS = {
    "well": {},
    "late": late("critical", 7.4, pause=at.pause(until=NOW + timedelta(hours=1))),
    "without broker": at.without_broker(),
    "without database": at.without_database(),
    "without both": at.without_broker() | at.without_database(),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_its_keys_are_there_whatever_is_down(name: str) -> None:
    assert_shape(told(well(**SITUATIONS[name])), SHAPE)


def test_what_is_not_known_is_null_and_never_zero() -> None:
    found = told(well(**at.without_broker() | at.without_database()))
    assert found["broker"] | {"transport": 0, "reachable": 0} == {
        "kind": "unknown",
        "version": None,
        "role": None,
        "transport": 0,
        "reachable": 0,
        "refuses_writes": None,
        "memory_used_bytes": None,
        "memory_used_ratio": None,
        "evicted_keys": None,
        "claimed_by_stock": None,
    }
    known_anyway = {"name", "rank", "sla_seconds", "slo_target"}
    for queue in found["queues"]:
        assert leaves({name: value for name, value in queue.items() if name not in known_anyway}) == {None}
    for part in ("workers", "schedules", "idempotency", "failures", "outbox", "tasks", "breakers", "fuses"):
        assert leaves(found[part]) == {None}, part


def leaves(value: Any) -> set[Any]:
    if isinstance(value, dict):
        return set().union(*map(leaves, value.values()))
    return {value}


def test_a_pause_says_until_when_by_whom_and_why() -> None:
    found = told(well(**SITUATIONS["late"]))
    assert found["queues"][0]["paused"] == {"until": "2026-11-23T12:20:10Z", "by": "ann", "why": "the disk is full"}
    assert found["queues"][1]["paused"] is False


def test_a_problem_is_told_with_its_cause_its_button_and_its_page(settings: Any) -> None:
    settings.BGJOBS = settings.BGJOBS | {"dashboard": "/jobs/"}
    (problem,) = told(well(**SITUATIONS["late"]))["problems"]
    assert problem == {
        "code": "queue_paused",
        "severity": "critical",
        "queue": "critical",
        "entry": None,
        "since": "2026-11-23T11:20:04Z",
        "message": "critical has been late since 11:20 (oldest waits 7.4 s of 2 s)",
        "cause": "ann paused it: the disk is full",
        "hint": "Resume critical: manage.py jobs resume critical --reason …",
        "action": "resume",
        "target": "critical",
        "url": "/jobs/queues/critical/",
    }


def test_one_queue_can_be_asked_for() -> None:
    found = told(well(**late("critical", 7.4)), queue="email")
    assert [queue["name"] for queue in found["queues"]] == ["email"]
    assert found["problems"] == []
    assert found["status"] == "critical"


def test_workers_are_summed_unless_one_of_them_says_nothing() -> None:
    cards = (at.worker("a@h", "critical"), at.worker("b@h", "email", jobs=[at.job("mail", 10)]))
    assert told(well(workers=cards))["workers"] | {"list": []} == {
        "online": 2,
        "processes_busy": 16,
        "processes_total": 16,
        "versions": ["1.0"],
        "list": [],
    }
    found = told(well(workers=(*cards, at.worker("c@h", card=False))))["workers"]
    assert (found["online"], found["processes_busy"], found["processes_total"]) == (3, None, None)
    assert found["list"][1]["jobs"][0]["since"] == "2026-11-23T11:20:00Z"
    assert found["list"][2]["node"] is None


def test_rates_are_of_the_window_that_was_asked_for() -> None:
    assert told(well(window=Window.M5))["window"] == "5m"
