"""Every page, light and dark, on a desk and on a phone: what it is about, readable for everybody, nothing cut off."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils.http import urlencode
from playwright.sync_api import Page

from apps.core.dead_letters.models import DeadLetter
from apps.core.models import OperatorAction
from apps.monitoring.offers import OFFERS
from apps.monitoring.urls import PAGES

from . import situation
from .browser import DESKTOP, PHONE, sideways
from .conftest import expects

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}

AXE = Axe().axe_script

# Name of the page -> what is looked at, each with its heading.
LOOKED_AT: dict[str, list[tuple[tuple[str, ...], dict[str, str], str]]] = {
    "changelist": [((), {}, "Background jobs")],
    "queue": [(("email",), {}, "Queue email"), (("ml_training",), {}, "Queue ml_training")],
    "workers": [((), {}, "Workers")],
    "idempotency": [((), {"key": situation.HELD_KEY}, "Idempotency")],
    "audit": [((), {}, "Audit")],
    "runs": [((), {}, "Runs"), ((), {"q": "since:yesterday"}, "Runs")],
    "runs_export": [((), {}, "Export runs")],
    "run": [
        ((situation.DEEP,), {}, f"Job {situation.DEEP}"),
        ((situation.FAILED,), {}, f"Job {situation.FAILED}"),
        ((situation.DONE,), {}, f"Job {situation.DONE}"),
        ((situation.DELAYED,), {}, f"Job {situation.DELAYED}"),
        (("no-such-job",), {}, "Unknown job"),
    ],
    "failures": [((), {}, "Failures")],
    "schedules": [((), {}, "Schedules")],
}
TARGETS = {
    "queue": "email",
    "job": situation.DEEP,
    "fingerprint": situation.MAIL_DOWN,
    "entry": "auto_close_jobs",
    "task": "send_ticket_email",
    "worker": "general@jobs-1",
    "key": situation.HELD_KEY,
}


@pytest.fixture(scope="module", autouse=True)
def everything_at_once(installation: None) -> None:
    situation.trouble(datetime.now(UTC), suffix=situation.EVIL)


def judged(page: Page, options: dict[str, Any]) -> str:
    """What axe finds, in words."""
    found = page.evaluate("options => axe.run(document, options)", options)
    return "\n".join(
        f"{one['id']}: {one['help']}\n    " + "\n    ".join(node["html"][:200] for node in one["nodes"][:4])
        for one in found["violations"]
    )


def settle(page: Page) -> None:
    """Colours that change do so in steps."""
    page.evaluate("Promise.all(document.getAnimations().map(one => one.finished))")


def faults_of(page: Page, address: str, heading: str, *, thoroughly: bool = True) -> list[str]:
    """Each screen once in full, and the colours in each theme."""
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    page.goto(address)
    assert page.locator("#content h1").all_inner_texts() == [heading], address
    page.evaluate(AXE)
    faults = []

    def note(where: str, said: str) -> None:
        if said:
            faults.append(f"{address} ({where}):\n  {said}")

    if thoroughly:
        note("desk, light", judged(page, ALL))
    page.emulate_media(color_scheme="dark")
    settle(page)
    note("dark", judged(page, CONTRAST))
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="light")
    settle(page)
    note("phone, light", judged(page, ALL))
    if wider := sideways(page):
        note("phone", f"{wider} pixels wider than the window")
    if thoroughly:
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        settle(page)
        note("the admin's dark theme", judged(page, CONTRAST))
    return faults


@pytest.mark.parametrize("name", [page.name for page in PAGES if not page.name.startswith(("api_", "action"))])
def test_a_page_is_what_it_should_be_for_everybody(name: str, visit: Callable[..., Page]) -> None:
    page = visit("admin")
    expects(page, "404 .*no-such-job")
    faults = []
    for arguments, query, heading in LOOKED_AT[name]:
        faults += faults_of(page, f"{address(name, *arguments)}?{urlencode(query)}", heading)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", OFFERS)
def test_an_action_is_asked_for_on_a_page_for_everybody(name: str, visit: Callable[..., Page]) -> None:
    offer, page = OFFERS[name], visit("admin")
    letter = DeadLetter.objects.get(job=situation.FAILED).pk
    asked = {"letter": letter} if "letter" in offer.takes else {take: TARGETS[take] for take in offer.takes}
    faults = faults_of(page, f"{address('action', name)}?{urlencode(asked)}", offer.title, thoroughly=False)
    assert not faults, "\n".join(faults)
    assert page.get_by_role("button", name=offer.label, exact=True).is_enabled()


def test_the_row_of_an_action_is_readable_for_everybody(visit: Callable[..., Page]) -> None:
    row = OperatorAction.objects.earliest("at").pk
    faults = faults_of(visit("admin"), f"{address('queue', 'email')}?done={row}", "Queue email")
    assert not faults, "\n".join(faults)


def test_texts_of_others_are_texts(visit: Callable[..., Page]) -> None:
    """That no dialog opens is seen to at each visit; here, that there was something to open one."""
    page = visit("admin")
    page.goto(address("changelist"))
    for where in ("changelist", "audit", "runs", "failures", "schedules"):
        page.goto(address(where))
        assert situation.EVIL in page.locator("#content").inner_text(), where
        assert page.locator("#content img").count() == 0


def address(name: str, *arguments: str) -> str:
    return reverse(f"admin:monitoring_celery_{name}", args=arguments)
