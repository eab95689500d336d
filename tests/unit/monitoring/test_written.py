"""How the pages write numbers, spans and moments."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.template import Context, Template

from apps.monitoring.templatetags import monitoring as written

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "unknown"), ("", "unknown"), (0, "0"), (1234567, "1,234,567"), (-1, "-1")],
)
def test_numbers(value: Any, words: str) -> None:
    assert written.number(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "unknown"),
        ("", "unknown"),
        (0, "0s"),
        (0.0004, "0ms"),
        (0.4, "400ms"),
        (7.42, "7.4s"),
        (5400, "1h 30m"),
    ],
)
def test_spans(value: Any, words: str) -> None:
    assert written.seconds(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "unknown"), (0.0, "0%"), (1.0, "100%"), (0.9938, "99.38%"), (0.5, "50%"), (-1.0, "-100%")],
)
def test_shares(value: Any, words: str) -> None:
    assert written.percent(value) == words


@pytest.mark.parametrize(
    "value",
    [NOON, "2026-11-23T12:00:00Z", NOON.timestamp(), NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))],
)
def test_moments_are_in_utc_whatever_they_come_as(value: Any) -> None:
    assert written.moment(value) == '<time datetime="2026-11-23T12:00:00Z">2026-11-23 12:00:00 UTC</time>'


@pytest.mark.parametrize("value", [None, "", "soon", 1e300, float("nan")])
def test_what_is_no_moment_is_unknown(value: Any) -> None:
    assert written.moment(value) == "unknown"
    assert written.moment(None, "never") == "never"


def test_whatever_a_value_is_it_is_written_as_text() -> None:
    template = Template(
        '{% load monitoring %}{% live "a.b" value "text" %}{% link_to_job value %}{{ value|as_json }}'
    )
    html = template.render(Context({"value": "<script>"}))
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 3
    assert 'data-live="a.b"' in html


def test_an_id_that_fits_no_address_is_shown_without_a_link() -> None:
    assert written.link_to_job("") == ""
