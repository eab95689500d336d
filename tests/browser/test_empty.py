"""An installation in which nothing has happened yet: its pages say what to do, and are readable for everybody."""

import pytest
from playwright.sync_api import Page

from .conftest import address
from .readable import faults_of

# Name of the page -> its arguments, its heading, and what it teaches.
TEACHES = {
    "changelist": ((), "Background jobs", "celery -A intelliwiz_config worker"),
    "queue": (("email",), "Queue email", ".delay()"),
    "workers": ((), "Workers", "python manage.py jobs worker POOL"),
    "idempotency": ((), "Idempotency", "The page of a job names its key"),
    "audit": ((), "Audit", "Nobody has acted yet"),
    "runs": ((), "Runs", "python manage.py jobs relay"),
    "failures": ((), "Failures", "Nothing has failed"),
    "schedules": ((), "Schedules", "no beat has seen it yet"),
}

pytestmark = pytest.mark.usefixtures("installation")


@pytest.mark.parametrize("name", TEACHES)
def test_an_empty_page_teaches(name: str, desk: Page) -> None:
    arguments, heading, words = TEACHES[name]
    faults = faults_of(desk, address(name, *arguments), heading, colours=name == "workers")
    assert not faults, "\n".join(faults)
    assert words in desk.locator("#content").inner_text()


def test_unknown_is_never_0(desk: Page) -> None:
    desk.goto(address("idempotency"))
    assert desk.locator("dt:has-text('A check takes, p99') + dd").inner_text() == "unknown"
