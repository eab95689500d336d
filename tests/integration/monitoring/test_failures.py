"""The page of failures groups them by trouble, marks what is new or back, and leads to what can be done."""

from datetime import UTC, datetime, timedelta
from html import escape

import pytest
from django.test import Client

from ..dead_letters.letters import saved as saved_letter
from .history import saved
from .visitors import address, visitor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("server"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]

DAY = 24 * 3600.0
EVIL = "<svg onload=alert(1)>"


@pytest.fixture
def viewer() -> Client:
    return visitor()


def shown(client: Client) -> str:
    response = client.get(address("failures"))
    assert response.status_code == 200
    return response.content.decode()


def test_without_failures_the_page_says_what_would_be_here(viewer: Client) -> None:
    saved()
    assert "Nothing has failed" in shown(viewer)


def test_a_new_trouble_and_one_that_is_back_are_marked_in_words(viewer: Client) -> None:
    saved("failed", ago=3600, fingerprint="new", task="fresh", error="KeyError")
    saved("failed", ago=20 * DAY, fingerprint="back", task="again", error="OSError")
    saved("failed", ago=3600, fingerprint="back", task="again", error="OSError")
    response = viewer.get(address("failures"))
    rows = {row.group.fingerprint: row.group for row in response.context["rows"]}
    assert (rows["new"].is_new, rows["new"].regressed) == (True, False)
    assert (rows["back"].is_new, rows["back"].regressed) == (False, True)
    html = response.content.decode()
    assert html.count(">NEW</span>") == 1
    assert html.count(">REGRESSED</span>") == 1
    assert "By hour, the last 24 hours: 1 in all, " in html
    assert "q=fingerprint%3Aback" in html


def test_all_of_a_trouble_can_be_retried_discarded_or_its_task_stopped_by_who_may(viewer: Client) -> None:
    now = datetime.now(UTC)
    for minute in range(3):
        saved_letter(fingerprint="f00", last_at=now - timedelta(minutes=minute))
    html = shown(visitor("Jobs operator"))
    assert "actions/retry/?fingerprint=f00" in html
    assert "actions/discard/?fingerprint=f00" in html
    assert "actions/fuse/?task=test.dl.work" in html
    assert "actions/" not in shown(viewer)


def test_what_comes_from_jobs_is_shown_as_text(viewer: Client) -> None:
    saved("failed", fingerprint=EVIL, task=EVIL, error=EVIL)
    html = shown(viewer)
    assert EVIL not in html
    assert escape(EVIL) in html
