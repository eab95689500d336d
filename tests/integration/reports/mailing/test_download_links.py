"""Fetching a report by the link that came in a mail."""

import json
import logging
import logging.config
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.core import signing
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core import logs
from apps.organization.models import Tenant
from apps.reports.links import link_to
from apps.reports.models import GeneratedReport

from .agency import CONTENT, NOW, Agency

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def address_of(report: GeneratedReport) -> str:
    return link_to(report).removeprefix("https://jobs.example.com")


def token_of(report: GeneratedReport) -> str:
    return address_of(report).split("/")[2]


def fetch(client: Client, address: str) -> Any:
    """The answer, with all of its file read."""
    answer = client.get(address)
    answer.file = b"".join(answer.streaming_content) if answer.streaming else b""
    return answer


def test_a_link_opens_its_report_without_a_login(agency, client) -> None:
    report = agency.report(status="SENT")
    got = fetch(client, address_of(report))
    assert (got.status_code, got.file) == (200, CONTENT)
    assert {name: got[name] for name in ("Content-Disposition", "Content-Type", "Content-Length")} == {
        "Content-Disposition": f'attachment; filename="ticket-list-2026-11-22-{report.pk}.csv"',
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Length": str(len(CONTENT)),
    }
    assert got["X-Content-Type-Options"] == "nosniff"
    assert got["Cache-Control"] == "private, no-store"
    assert got["Referrer-Policy"] == "no-referrer"
    assert "sandbox" in got["Content-Security-Policy"]
    assert not got.cookies


def test_a_link_is_good_for_a_week(agency, client) -> None:
    with time_machine.travel(NOW, tick=False):
        address = address_of(agency.report(status="SENT"))
    with time_machine.travel(NOW + WEEK, tick=False):
        assert fetch(client, address).status_code == 200
    with time_machine.travel(NOW + WEEK + timedelta(seconds=2), tick=False):
        gone = fetch(client, address)
    assert gone.status_code == 410
    assert "This link has expired." in gone.content.decode()
    assert gone["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("status", "answer"), [("READY", 200), ("SENDING", 200), ("SENT", 200), ("FAILED", 404), ("EXPIRED", 404)]
)
def test_only_reports_that_are_mailed_are_open_to_links(agency, client, status, answer) -> None:
    assert fetch(client, address_of(agency.report(status=status))).status_code == answer


def test_one_that_reached_some_of_its_recipients_stays_open_to_them(agency, client) -> None:
    report = agency.report(status="FAILED", delivered_to=["rita@acme.example"])
    assert fetch(client, address_of(report)).status_code == 200


def test_what_is_gone_is_not_found(agency, client, reports_root) -> None:
    removed, changed, deleted, elsewhere = (agency.report(status="SENT") for _ in range(4))
    (reports_root / removed.file).unlink()
    (reports_root / changed.file).write_bytes(b"other")
    link = address_of(deleted)
    deleted.delete()
    GeneratedReport.objects.filter(pk=elsewhere.pk).update(file="../secret")
    for address in (address_of(removed), address_of(changed), link, address_of(elsewhere)):
        refused = fetch(client, address)
        assert refused.status_code == 404
        assert "There is no report here." in refused.content.decode()


def test_an_inactive_tenants_links_are_closed(agency, client) -> None:
    address = address_of(agency.report(status="SENT"))
    Tenant.objects.update(is_active=False)
    assert fetch(client, address).status_code == 404


def test_tokens_that_we_did_not_sign_for_this_open_nothing(agency, client, settings) -> None:
    report = agency.report(status="SENT")
    named = {"tenant": agency.tenant.pk, "report": report.pk}
    other = Agency("other")
    foreign = [
        signing.dumps(named),  # for something else
        signing.dumps(named, salt="apps.reports"),
        signing.dumps({**named, "tenant": other.tenant.pk}, salt="apps.reports.links"),
        signing.dumps(named, salt="apps.reports.links", key="another installation's"),
        "x",
        "x" * 10_000,
        ":::",
        "..",
    ]
    for token in foreign:
        assert fetch(client, f"/reports/{token}/").status_code == 404, token
    assert fetch(client, reverse("reports:download", args=[token_of(report)])).status_code == 200


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_tampered_token_opens_nothing(agency, client, data) -> None:
    """Also when it is another report's, or when parts of two tokens are put together."""
    if not GeneratedReport.objects.exists():
        agency.report(status="SENT")
        Agency("other").report(status="SENT")
    first, second = (token_of(report) for report in GeneratedReport.objects.select_related("schedule"))
    place = data.draw(st.integers(0, len(first) - 1))
    character = data.draw(st.sampled_from("ABCxyz019-_:."))
    pieces = [data.draw(st.sampled_from(pair)) for pair in zip(first.split(":"), second.split(":"), strict=True)]
    for token in (first[:place] + character + first[place + 1 :], first[:place], ":".join(pieces)):
        if token and token not in (first, second):
            assert fetch(client, f"/reports/{token}/").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_a_link_is_to_read_only(agency, client, method) -> None:
    assert getattr(client, method)(address_of(agency.report(status="SENT"))).status_code == 405


def test_head_says_the_same_without_the_file(agency, client) -> None:
    got = client.head(address_of(agency.report(status="SENT")))
    assert list(got.streaming_content) == []
    assert (got.status_code, got["Content-Length"]) == (200, str(len(CONTENT)))


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What is logged in production."""
    stream = StringIO()
    config = logs.logging_config(level="DEBUG")
    config["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(config)
    yield stream
    logging.config.dictConfig(django_settings.LOGGING)


def test_no_log_has_a_token(agency, client, written: StringIO, reports_root: Path) -> None:
    good, missing = agency.report(status="SENT"), agency.report(status="SENT")
    (reports_root / missing.file).unlink()
    tokens = [token_of(good), token_of(missing), token_of(good)[:-1]]
    for token in tokens:
        fetch(client, f"/reports/{token}/")
    fetch(client, f"/reports/{tokens[0]}")  # a redirect to the address with its slash
    with time_machine.travel(NOW + 99 * WEEK):
        fetch(client, f"/reports/{tokens[0]}/")
    text = written.getvalue()
    assert "report.fetched_by_link" in text
    assert "Not Found: /reports/[secret]/" in text
    for token in tokens:
        assert token not in text
        assert token.rpartition(":")[2] not in text
    assert all(json.loads(line) for line in text.splitlines())
