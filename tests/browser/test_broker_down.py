"""The broker goes down while somebody looks at its queues."""

from collections.abc import Callable, Iterator

import pytest
from celery import current_app
from playwright.sync_api import Page, expect

from ..integration.broker.broker_servers import BrokerServer
from . import situation
from .conftest import address, expects


@pytest.fixture
def broker(installation: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrokerServer]:
    """One that may be killed."""
    server = BrokerServer("valkey")
    monkeypatch.setitem(current_app.conf, "broker_url", server.url)
    situation.forget()
    yield server
    server.close()


def test_it_is_said_within_a_poll_and_what_needs_the_broker_is_not_offered(
    broker: BrokerServer, visit: Callable[..., Page]
) -> None:
    broker.client.lpush("email", *(situation.message("send_ticket_email", "email") for _ in range(7)))
    page = visit("operator")
    page.clock.install()
    page.goto(address("changelist"))
    ready = page.locator('[data-live="queues.email.ready"]')
    expect(ready).to_have_text("7")

    broker.kill()
    situation.looking.forget()
    situation.broker_trouble.forget()
    page.clock.run_for(5000)
    expect(page.locator("[data-live-verdict]")).to_have_attribute("data-status", "unknown")
    expect(page.locator("[data-live-sentence]")).to_contain_text("The broker cannot be asked")
    expect(page.locator("[data-live-age]")).to_contain_text("STALE")
    expect(ready).to_have_text("7")  # as it was known last
    assert page.locator("#content a[href*='/actions/pause/']").count() == 0

    page.goto(address("queue", "email"))
    expect(page.get_by_role("alert").first).to_contain_text("Not known now")
    expect(page.locator(".bgjobs-off").first).to_contain_text("not now: the broker does not answer")
    assert page.locator("#content a[href*='/actions/']").count() == 0

    expects(page, "503")
    page.goto(f"{address('action', 'pause')}?queue=email")
    expect(page.get_by_role("button", name="Pause")).to_be_disabled()

    broker.start()
    situation.forget()
    page.goto(address("changelist"))
    expect(ready).to_have_text("7")
    expect(page.locator("[data-live-age]")).not_to_contain_text("STALE")
