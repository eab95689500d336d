"""The overview changes while one looks at it, asks no more than it must, and says how old it is."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from apps.core.broker.configured import configured_store

from . import situation
from .conftest import address, expects

API = "**/api/metrics/**"
READY = '[data-live="queues.ml_training.ready"]'  # none of its jobs is late for half an hour


@pytest.fixture(scope="module", autouse=True)
def a_quiet_afternoon(installation: None) -> None:
    situation.healthy(datetime.now(UTC))
    configured_store().purge("email")


@pytest.fixture
def overview(visit: Callable[..., Page]) -> Page:
    """Open, with its time in the test's hands."""
    page = visit("operator")
    page.clock.install()
    page.goto(address("changelist"))
    page.evaluate("window.isTheSame = true")
    return page


def pass_by(page: Page, seconds: float) -> None:
    situation.forget()  # what this process has seen within the last second
    page.clock.run_for(seconds * 1000)


def age(page: Page) -> str:
    return page.locator("[data-live-age]").inner_text()


def hide(page: Page, hidden: bool) -> None:
    """As another tab in front of it would."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_a_number_changes_without_a_reload(overview: Page) -> None:
    store = configured_store()
    before = store.depths(["ml_training"])["ml_training"].ready
    assert overview.locator(READY).inner_text() == str(before)
    for _ in range(3):
        store.publish("ml_training", "ml_training", situation.message("train", "ml_training"))
    pass_by(overview, 5)
    expect(overview.locator(READY)).to_have_text(str(before + 3))
    assert overview.evaluate("window.isTheSame")


def test_it_says_how_old_it_is(overview: Page) -> None:
    pass_by(overview, 3)
    assert age(overview) == "updated 3s ago"
    pass_by(overview, 2)
    expect(overview.locator("[data-live-age]")).to_have_text("updated 0s ago")


def test_a_new_problem_takes_the_verdicts_place_and_its_words_stay_words(overview: Page) -> None:
    verdict = overview.locator("[data-live-verdict]")
    expect(verdict).to_have_attribute("data-status", "ok")
    configured_store().pause("maintenance", seconds=0, why=f"ann{situation.EVIL}: the disk is full{situation.EVIL}")
    pass_by(overview, 5)
    expect(verdict).not_to_have_attribute("data-status", "ok")
    expect(overview.locator("[data-live-sentence]")).to_contain_text(f"the disk is full{situation.EVIL}")
    expect(overview.locator("[data-live-problems]")).to_contain_text(f"ann{situation.EVIL} paused it")
    assert overview.locator("#content img").count() == 0
    assert overview.evaluate("window.isTheSame")
    overview.locator("[data-live-repair]").get_by_role("link", name="Resume maintenance").click()
    expect(overview.locator("#content h1")).to_have_text("Resume a queue")
    expect(overview.locator("#content")).to_contain_text("Workers take jobs of maintenance again")
    configured_store().resume("maintenance")


def test_when_nobody_answers_it_says_that_it_is_stale_and_recovers_by_itself(overview: Page) -> None:
    expects(overview, "Failed to load resource: net::ERR_FAILED", "no answer: net::ERR_FAILED")
    overview.route(API, lambda route: route.abort())
    pass_by(overview, 14)
    assert age(overview) == "updated 14s ago"
    pass_by(overview, 2)
    expect(overview.locator("[data-live-age][data-stale]")).to_have_text("STALE: updated 16s ago")
    overview.unroute(API)
    pass_by(overview, 5)
    expect(overview.locator("[data-live-age]:not([data-stale])")).to_have_text("updated 0s ago")


def test_nothing_is_asked_while_nobody_looks(overview: Page) -> None:
    asked: list[str] = []
    overview.on("request", lambda request: asked.append(request.url))
    hide(overview, True)
    pass_by(overview, 60)
    assert asked == []
    with overview.expect_response(API):
        hide(overview, False)
    assert len(asked) == 1


def test_what_has_not_changed_is_not_sent_again(overview: Page) -> None:
    configured_store().purge("ml_training")  # how long something waits changes all the time
    answers = []
    while len(answers) < 5 and not (answers and answers[-1].status == 304):  # what is counted may end a minute
        with overview.expect_response(API) as answer:
            overview.clock.run_for(5000)
        answers.append(answer.value)
    assert answers[-1].status == 304
    assert answers[-1].request.headers["if-none-match"] == answers[-2].headers["etag"]
    assert age(overview) == "updated 0s ago"
