"""Buttons, badges and pauses on the overview follow what the API tells, without a reload."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from .situation import EVIL

OVERVIEW = reverse("admin:monitoring_celery_changelist")
PAUSE = {"by": "ada", "why": EVIL, "until": "2026-11-26T03:00:00Z"}


def problem(code: str, **facts: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("queue", "entry", "since", "cause", "action", "target", "url"))
    return {**nothing, "code": code, "severity": "warning", "message": f"{code} {EVIL}", "hint": "Mend it.", **facts}


class Told:
    """What the API answers from now on."""

    def __init__(self, page: Page) -> None:
        self._page, self._change = page, (lambda _: None)
        page.route("**/api/metrics/", self._answer)

    def _answer(self, route: Route) -> None:
        headers = {name: value for name, value in route.request.headers.items() if name != "if-none-match"}
        facts = route.fetch(headers=headers).json()
        self._change(facts)
        route.fulfill(json=facts)

    def change(self, change: Callable[[dict[str, Any]], Any]) -> None:
        self._change = change
        with self._page.expect_response("**/api/metrics/"):
            self._page.clock.run_for(5_000)


@pytest.fixture
def page(visit: Callable[..., Page]) -> Page:
    page = visit("operator")
    page.clock.install()
    page.goto(OVERVIEW)
    return page


def line_of(page: Page, queue: str) -> Any:
    return page.locator(f'tr[data-live-queue="{queue}"]')


def test_a_problem_that_comes_up_brings_its_button(page: Page) -> None:
    told, target = Told(page), 'a&b="<c>'
    paused = problem("queue_paused", queue="email", action="resume", target="email", cause="ada paused it")
    retried = problem("failure_new", action="retry", target=target)
    forbidden = problem("task_fused", action="purge", target="email")

    def change(facts: dict[str, Any]) -> None:
        facts["problems"] = [paused, retried, forbidden]
        facts["verdict"] |= {
            "sentence": "email is paused",
            "since": "2026-11-26T02:00:00Z",
            "cause": EVIL,
            "action": "resume",
            "target": "email",
        }

    told.change(change)
    verdict, problems = page.locator("[data-live-verdict]"), page.locator("[data-live-problems] li")
    expect(verdict.get_by_role("link", name="Resume email")).to_have_attribute(
        "href",
        f"{page.url.removesuffix(OVERVIEW)}{reverse('admin:monitoring_celery_action', args=['resume'])}"
        "?back=%2Fadmin%2Fmonitoring%2Fcelery%2F&queue=email",
    )
    expect(verdict.locator("[data-live-detail]")).to_have_text(
        f"Since 2026-11-26 02:00:00 UTC. Likely cause: {EVIL}."
    )
    expect(problems).to_have_count(3)
    expect(problems.nth(0).get_by_role("link")).to_have_text("Resume email")
    expect(problems.nth(1).get_by_role("link")).to_have_text(f"Retry {target}")
    expect(problems.nth(2).get_by_role("link")).to_have_count(0)
    problems.nth(1).get_by_role("link").click()
    assert page.locator("input[name=fingerprint]").input_value() == target


def test_what_is_late_or_paused_says_so_and_can_be_resumed(page: Page) -> None:
    told = Told(page)
    email, critical = line_of(page, "email"), line_of(page, "critical")
    expect(email.get_by_role("link", name="Pause email")).to_be_visible()

    def change(facts: dict[str, Any]) -> None:
        for queue in facts["queues"]:
            queue["paused"] = PAUSE if queue["name"] == "email" else queue["paused"]
            queue["oldest_age_seconds"] = 99.0 if queue["name"] == "critical" else None

    told.change(change)
    expect(email.locator("[data-live-badges]")).to_have_text("‖ PAUSED")
    expect(email.locator("[data-live-pause]")).to_have_text(
        f"‖ paused by ada: {EVIL}, until 2026-11-26 03:00:00 UTC Resume email"
    )
    expect(critical.locator("[data-live-badges]")).to_have_text("✖ LATE")
    told.change(lambda _: None)
    expect(email.locator("[data-live-badges]")).to_have_text("")
    expect(email.get_by_role("link", name="Pause email")).to_be_visible()


def test_what_has_not_changed_is_not_replaced(page: Page) -> None:
    told = Told(page)
    button = line_of(page, "email").get_by_role("link", name="Pause email")
    button.focus()
    told.change(lambda facts: facts["broker"].update(evicted_keys=3))
    expect(page.locator('[data-live="broker.evicted_keys"]')).to_have_text("3")
    expect(button).to_be_focused()


def test_without_the_broker_nothing_that_needs_it_can_be_pressed(page: Page) -> None:
    told = Told(page)
    told.change(lambda facts: facts["broker"].update(reachable=False))
    cell = line_of(page, "email").locator("[data-live-pause]")
    expect(cell).to_have_text("Pause (not now: the broker does not answer)")
    expect(cell.get_by_role("link")).to_have_count(0)


def test_who_may_do_nothing_is_shown_no_button(visit: Callable[..., Page]) -> None:
    page = visit("viewer")
    page.clock.install()
    page.goto(OVERVIEW)
    paused = problem("queue_paused", queue="email", action="resume", target="email")
    Told(page).change(lambda facts: facts.update(problems=[paused]))
    expect(page.locator("[data-live-problems] li")).to_have_count(1)
    expect(page.locator("#content .bgjobs-button")).to_have_count(0)
