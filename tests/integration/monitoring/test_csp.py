"""What a browser may do on the pages, and that they need no more than that."""

import uuid
from html import escape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from apps.core.broker.configured import configured_store
from apps.core.idempotency import records
from apps.core.models import OperatorAction
from apps.monitoring.offers import OFFERS
from apps.monitoring.security import POLICY
from apps.monitoring.urls import PAGES

from ..broker.trial import text_of
from ..dead_letters.letters import saved as saved_letter
from . import roles
from .history import saved as saved_run
from .visitors import address, visitor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("server"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]

EVIL = """'"><script>alert(1)</script><svg/onload=alert(2)><a href="javascript:alert(3)">x</a>"""
FOR_PEOPLE = [page for page in PAGES if not page.name.startswith("api_")]


class Inline(HTMLParser):
    """Collects what a strict policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.regions: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.found.append(f"<{tag}>")
        for name, value in attributes:
            if name == "style" or name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f'<{tag} {name}="{value}">')
        if "bgjobs-scroll" in (given.get("class") or ""):
            self.regions.append(given)


def looked_at(html: str) -> Inline:
    parser = Inline()
    parser.feed(html)
    parser.close()
    return parser


@pytest.fixture
def evil_everywhere(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Texts that others have chosen, wherever the pages show such texts."""
    store = configured_store()
    store.pause("email", seconds=0, why=f"{EVIL}: {EVIL}")
    job = f"job{EVIL}"
    text = text_of(EVIL, EVIL, queue="critical")
    store.publish("critical", "critical", text)
    letter = saved_letter(EVIL, EVIL, job=job, error=EVIL, error_text=EVIL, traceback=EVIL)
    run = saved_run("failed", task=EVIL, error=EVIL, error_text=EVIL, args=EVIL, kwargs=EVIL, worker=EVIL, entry=EVIL)
    records().claim(f"key{EVIL}", job=EVIL)
    row = OperatorAction.objects.create(actor=EVIL, action="pause-queue", target=EVIL, reason=EVIL, detail=EVIL)
    return {"letter": letter, "run": run, "row": row, "job": job}


def test_every_answer_carries_the_policy(evil_everywhere: dict[str, Any]) -> None:
    client = visitor("Jobs admin")
    for page in PAGES:
        response = client.get(address(page.name, *roles.PAGES[page.name][0]))
        assert response.headers["Content-Security-Policy"] == POLICY, page.name
        assert "no-store" in response.headers["Cache-Control"], page.name
    for response in (
        Client().get(address("changelist")),
        client.get(address("changelist") + "no/such/page/"),
        Client(enforce_csrf_checks=True).post(address("action", "pause")),
    ):
        assert response.headers["Content-Security-Policy"] == POLICY


def test_no_page_has_anything_inline_whatever_it_shows(evil_everywhere: dict[str, Any]) -> None:
    client = visitor("Jobs admin")
    letter, run = evil_everywhere["letter"], evil_everywhere["run"]
    addresses = [
        *(address(page.name, *roles.PAGES[page.name][0]) for page in FOR_PEOPLE),
        f"{address('changelist')}?done={evil_everywhere['row'].pk}",
        address("queue", "email"),
        address("run", letter.job),
        address("run", run.job),
        f"{address('idempotency')}?key=key{EVIL}",
        f"{address('runs')}?q={EVIL}",
        f"{address('audit')}?actor={EVIL}",
        f"{address('action', 'retry')}?letter={letter.pk}&fingerprint={EVIL}&back={EVIL}",
        f"{address('action', 'retry')}?letter={letter.pk}",
        f"{address('action', 'resume')}?queue=email",
        *(f"{address('action', name)}?{take}={EVIL}" for name, offer in OFFERS.items() for take in offer.takes[:1]),
    ]
    shown = 0
    for one in addresses:
        html = client.get(one).content.decode()
        assert looked_at(html).found == [], one
        assert "<script>alert" not in html, one
        shown += escape(EVIL) in html
    assert shown >= 15  # else this test would prove nothing


def test_what_is_wider_than_a_phone_scrolls_in_a_region_that_keys_reach(evil_everywhere: dict[str, Any]) -> None:
    client, regions = visitor("Jobs admin"), []
    for page in FOR_PEOPLE:
        regions += looked_at(client.get(address(page.name, *roles.PAGES[page.name][0])).content.decode()).regions
    assert len(regions) >= 4
    for region in regions:
        assert region["role"] == "region", region
        assert region["tabindex"] == "0", region
        assert region.get("aria-label") or region.get("aria-labelledby"), region


def test_an_action_without_the_token_of_the_form_is_refused() -> None:
    client = visitor("Jobs admin")
    client.handler.enforce_csrf_checks = True
    for name in OFFERS:
        asked = {"request_id": str(uuid.uuid4()), "reason": "why not", "queue": "email"}
        assert client.post(address("action", name), asked).status_code == 403, name
    assert not OperatorAction.objects.exists()
    assert configured_store().depths(["email"])["email"].pause is None
