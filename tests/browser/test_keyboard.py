"""Everything can be reached and done with keys alone."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from apps.monitoring.navigation import PLACES

from . import situation
from .conftest import address

MOST = 150  # presses of Tab until all of a page has been seen
# Whether one sees which element has the focus: by an outline, or a background that is not the usual one.
IS_SEEN = """() => {
    const one = document.activeElement;
    const focused = getComputedStyle(one);
    const shown = [focused.outlineStyle + focused.outlineWidth, focused.backgroundColor, focused.boxShadow,
        focused.color, focused.textDecorationLine, focused.borderColor].join();
    const has_outline = focused.outlineStyle !== "none" && parseFloat(focused.outlineWidth) > 0;
    one.blur();
    const other = getComputedStyle(one);
    const usual = [other.outlineStyle + other.outlineWidth, other.backgroundColor, other.boxShadow,
        other.color, other.textDecorationLine, other.borderColor].join();
    one.focus({ focusVisible: true });
    return has_outline || shown !== usual;
}"""


@pytest.fixture(scope="module", autouse=True)
def everything_at_once(installation: None) -> None:
    situation.trouble(datetime.now(UTC), mails=5, runs=9)


@pytest.fixture
def page(desk: Page) -> Page:
    return desk


@pytest.mark.parametrize("where", ["runs", "idempotency"])
def test_a_slash_leads_to_the_search(page: Page, where: str) -> None:
    page.goto(address(where))
    page.keyboard.press("/")
    expect(page.locator("#content input[type=search]")).to_be_focused()
    page.keyboard.type("g r?/")  # is typed, and no shortcut
    expect(page.locator("#content input[type=search]")).to_have_value("g r?/")
    assert page.locator("dialog").count() == 0


def test_g_and_a_letter_lead_to_each_place(page: Page) -> None:
    page.goto(address("audit"))
    for place in PLACES:
        page.keyboard.press("g")
        page.keyboard.press(place.key)
        page.wait_for_url(f"**{address(place.name)}")
        expect(page.locator(".bgjobs-places [aria-current=page]")).to_have_text(place.title)
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url(f"**{address('changelist')}#queues-title")
    expect(page.locator("#queues-title")).to_be_in_viewport()


def test_a_question_mark_shows_the_list_and_escape_closes_it(page: Page) -> None:
    page.goto(address("changelist"))
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Shortcuts")
    expect(dialog).to_be_visible()
    for place in PLACES:
        expect(dialog).to_contain_text(place.title)
    page.keyboard.press("g")
    page.keyboard.press("r")  # not while the list is open
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.url.endswith(address("changelist"))
    button = page.get_by_role("button", name="Shortcuts")
    button.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close").press("Enter")
    expect(button).to_be_focused()


def test_the_first_key_leads_past_the_frame(page: Page) -> None:
    page.goto(address("changelist"))
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    expect(focused).to_have_text("Skip to main content")
    expect(focused).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.getElementById('content').contains(document.activeElement)")


@pytest.mark.parametrize("where", ["changelist", "failures", "schedules", "workers"])
def test_tab_reaches_every_action_in_the_order_in_which_they_stand_and_shows_where_it_is(
    page: Page, where: str
) -> None:
    page.goto(address(where))
    actions = page.locator("#content a[href*='/actions/']").evaluate_all("all => all.map(one => one.href)")
    assert len(actions) > 3
    page.locator(".bgjobs-places a").first.focus()
    reached = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        href = page.evaluate("document.activeElement.href ?? ''")
        if "/actions/" in href:
            reached.append(href)
            if len(reached) <= 3:
                assert page.evaluate(IS_SEEN)
        if len(reached) == len(actions):
            break
    assert reached == actions


def test_a_wide_table_is_scrolled_with_keys(visit: Callable[..., Page]) -> None:
    page = visit("admin", viewport={"width": 390, "height": 844})
    page.goto(address("changelist"))
    region = page.get_by_role("region", name="Queues")
    region.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("one => one.scrollLeft > 0", arg=region.element_handle())
    # The name of the queue stays in sight.
    assert page.get_by_role("rowheader", name="email ✖").evaluate("one => one.getBoundingClientRect().left") >= 0
