"""The audit: filtered, and read a page at a time."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from apps.core.models import OperatorAction

from .visitors import address, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture
def viewer() -> Client:
    return visitor()


def acted(**facts: Any) -> OperatorAction:
    usual = {"actor": "ada", "action": "pause-queue", "target": "email", "reason": "slow", "result": "done"}
    return OperatorAction.objects.create(**usual | facts)


def targets(client: Client, **query: Any) -> list[str]:
    response = client.get(address("audit"), query)
    assert response.status_code == 200
    return [row.target for row in response.context["rows"]]


def test_before_anybody_has_acted_the_page_says_what_would_be_here(viewer: Client) -> None:
    assert "Nobody has acted yet" in viewer.get(address("audit")).content.decode()


def test_rows_are_filtered_by_all_that_is_given(viewer: Client) -> None:
    acted(target="one")
    acted(target="two", actor="cli:bob", result="failed", detail="RedisError: gone")
    acted(target="three", action="release-key", result="started")
    assert targets(viewer) == ["three", "two", "one"]
    assert targets(viewer, actor="bob") == ["two"]
    assert targets(viewer, action="release-key") == ["three"]
    assert targets(viewer, target="t") == ["three", "two"]
    assert targets(viewer, target="t", result="failed") == ["two"]
    now = datetime.now(UTC)
    assert targets(viewer, since=f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}") == ["three", "two", "one"]
    assert targets(viewer, until=f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}") == []
    assert "No action fits" in viewer.get(address("audit"), {"actor": "eve"}).content.decode()


def test_how_it_ended_is_said_in_words(viewer: Client) -> None:
    acted(result="failed", detail="RedisError: gone")
    acted(result="started", expected=3)
    html = viewer.get(address("audit")).content.decode()
    assert "✖ failed" in html
    assert "RedisError: gone" in html
    assert "begun, and not ended" in html
    assert ">unknown</td>" in html  # how many it affected


def test_older_rows_are_a_page_away_and_none_is_left_out(viewer: Client) -> None:
    rows = [
        OperatorAction(actor="ada", action="pause-queue", target=str(n), request_id=uuid.uuid4()) for n in range(120)
    ]
    OperatorAction.objects.bulk_create(rows)
    seen: list[str] = []
    query = "?actor=ada"
    while query:
        response = viewer.get(f"{address('audit')}{query}")
        seen += [row.target for row in response.context["rows"]]
        acted(target="since then")  # what comes meanwhile moves nothing
        query = f"?{response.context['older']}" if response.context["older"] else ""
        assert not query or "actor=ada" in query
    assert seen == [str(n) for n in reversed(range(120))]


@pytest.mark.parametrize(
    "query", [{"action": "nothing"}, {"since": "yesterday"}, {"before": "x"}, {"before": "0"}, {"result": "?"}]
)
def test_a_filter_that_means_nothing_is_said_to(viewer: Client, query: dict[str, str]) -> None:
    response = viewer.get(address("audit"), query)
    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()


def test_a_reason_is_shown_as_it_was_written(viewer: Client) -> None:
    acted(reason="<img src=x onerror=alert(1)>")
    assert escape("<img src=x onerror=alert(1)>") in viewer.get(address("audit")).content.decode()
