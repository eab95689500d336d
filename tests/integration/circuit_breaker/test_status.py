"""`manage.py jobs status` tells of breakers."""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
import redis
from celery import current_app
from django.core.management import CommandError, call_command

from apps.core.circuit_breaker import BreakerStore

from .records import admitted, open_breaker, probe_time_comes

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("jobs", "status", *arguments, stdout=out)
    return out.getvalue()


def facts(service: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The breakers of this service, and the problems with it."""
    found = json.loads(run("--format=json"))
    return (
        [one for one in found["breakers"] if one["service"] == service],
        [one for one in found["problems"] if service in one["message"]],
    )


def test_an_open_breaker_is_told_with_its_parked_jobs(store: BreakerStore, service: str) -> None:
    probe_at = open_breaker(store, service)
    for number in range(3):
        store.park(service, f"job-{number}")
    (breaker,), (problem,) = facts(service)
    assert (breaker["state"], breaker["failures"], breaker["parked"]) == ("open", 5, 3)
    moment = datetime.fromisoformat(breaker["probe_at"])
    assert moment == datetime.fromtimestamp(probe_at, UTC).replace(microsecond=0)
    assert (problem["code"], problem["severity"]) == ("breaker_open", "warning")
    assert "3 jobs are parked" in problem["message"]
    lines = run().splitlines()
    (row,) = [line for line in lines if line.startswith(service)]
    assert row.split()[1:4] == ["5", "3", "SUSPENDED"]
    assert row.endswith(breaker["probe_at"])


def test_a_probe_under_way_is_told(store: BreakerStore, client: redis.Redis, service: str) -> None:
    open_breaker(store, service)
    probe_time_comes(client, service)
    admitted(store, service)
    (breaker,), _ = facts(service)
    assert breaker["state"] == "half_open"
    assert "one, as a probe" in run()


def test_a_closed_breaker_is_told_while_jobs_are_parked_and_is_no_problem(
    store: BreakerStore, client: redis.Redis, service: str
) -> None:
    open_breaker(store, service)
    store.park(service, "job")
    probe_time_comes(client, service)
    store.succeed(service, admitted(store, service))
    (breaker,), problems = facts(service)
    assert (breaker["state"], breaker["parked"], breaker["probe_at"]) == ("closed", 1, None)
    assert problems == []


def test_a_breaker_that_is_closed_is_not_worth_a_line(store: BreakerStore, client: redis.Redis, service: str) -> None:
    open_breaker(store, service)
    probe_time_comes(client, service)
    store.succeed(service, admitted(store, service))
    assert facts(service) == ([], [])
    assert service not in run()


def test_breakers_are_unknown_where_the_server_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.conf, "broker_url", "leased://127.0.0.1:1/0")
    out = StringIO()
    with pytest.raises(CommandError, match="cannot be asked"):
        call_command("jobs", "status", "--format=json", stdout=out)
    assert json.loads(out.getvalue())["breakers"] is None
