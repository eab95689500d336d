"""Every page, light and dark, on a desk and on a phone: what it is about, readable for everybody, nothing cut off."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.utils.http import urlencode
from playwright.sync_api import Page

from apps.core.dead_letters.models import DeadLetter
from apps.core.models import OperatorAction
from apps.monitoring.offers import OFFERS
from apps.monitoring.urls import PAGES

from . import situation
from .conftest import address, expects, heard
from .readable import ALL, AXE, faults_of, judged

# The values of the sheet's own variables, and of some of the admin's.
COLOURS_OF = """() => {
    const style = getComputedStyle(document.documentElement);
    return ["--bgjobs-good", "--bgjobs-warn", "--bgjobs-bad", "--body-bg", "--body-fg", "--darkened-bg", "--link-fg"]
        .map((name) => style.getPropertyValue(name).trim());
}"""

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
COLOURFUL = ("purge", "edit_retry", "quiet")  # among the actions, of which all have the same page
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
    situation.trouble(datetime.now(UTC), suffix=situation.EVIL, mails=5, runs=3)


@pytest.mark.parametrize("name", [page.name for page in PAGES if not page.name.startswith(("api_", "action"))])
def test_a_page_is_what_it_should_be_for_everybody(name: str, desk: Page) -> None:
    expects(desk, "404 .*no-such-job")
    faults = []
    for place, (arguments, query, heading) in enumerate(LOOKED_AT[name]):
        where = f"{address(name, *arguments)}?{urlencode(query)}"
        faults += faults_of(desk, where, heading, colours=place < 2)
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", OFFERS)
def test_an_action_is_asked_for_on_a_page_for_everybody(name: str, desk: Page) -> None:
    offer = OFFERS[name]
    letter = DeadLetter.objects.get(job=situation.FAILED).pk
    asked = {"letter": letter} if "letter" in offer.takes else {take: TARGETS[take] for take in offer.takes}
    faults = faults_of(desk, f"{address('action', name)}?{urlencode(asked)}", offer.title, colours=name in COLOURFUL)
    assert not faults, "\n".join(faults)
    assert desk.get_by_role("button", name=offer.label, exact=True).is_enabled()


def test_the_row_of_an_action_is_readable_for_everybody(desk: Page) -> None:
    row = OperatorAction.objects.earliest("at").pk
    faults = faults_of(desk, f"{address('queue', 'email')}?done={row}", "Queue email")
    assert not faults, "\n".join(faults)


def test_the_two_ways_into_the_dark_show_the_same_colours(visit: Callable[..., Page]) -> None:
    page = visit("viewer", color_scheme="dark")
    page.goto(address("changelist"))
    by_device = page.evaluate(COLOURS_OF)
    page.emulate_media(color_scheme="light")
    by_day = page.evaluate(COLOURS_OF)
    page.get_by_role("button", name="Toggle theme").first.click()  # from auto to the opposite of the device's
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(COLOURS_OF) == by_device != by_day


def test_the_judge_sees_what_is_wrong(visit: Callable[..., Page]) -> None:
    page = visit("viewer")
    page.goto(address("audit"))
    page.evaluate(AXE)
    page.evaluate("document.querySelector('#content h1').style.color = '#ddd'")
    page.evaluate("document.querySelector('#content select, #content input').labels[0].remove()")
    said = judged(page, ALL)
    assert "color-contrast" in said
    assert "label" in said


def test_the_browser_tells_what_the_policy_forbids(visit: Callable[..., Page]) -> None:
    """Were a text of others ever taken for markup, it would still not run, and the test would fail."""
    page = visit("viewer")
    page.goto(address("audit"))
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate("text => document.body.insertAdjacentHTML('beforeend', text)", situation.EVIL)
    assert any("Content Security Policy" in one for one in heard(page))
    assert not any("dialog" in one for one in heard(page))
    expects(page, "Content Security Policy", "404 .*/audit/x")


def test_texts_of_others_are_texts(desk: Page) -> None:
    """That no dialog opens is seen to in each test; here, that there was something to open one."""
    for where in ("changelist", "audit", "runs", "failures", "schedules"):
        desk.goto(address(where))
        assert situation.EVIL in desk.locator("#content").inner_text(), where
        assert desk.locator("#content img").count() == 0
