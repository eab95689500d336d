"""A browser, a server on a real port, and people who are signed in.

What a module looks at is written once, by its own fixture; it is there for all of its tests, and gone after them.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from .browser import Complaints, NoBrowserError, launched, looking

GROUPS = {"viewer": "Jobs viewer", "operator": "Jobs operator", "admin": "Jobs admin"}
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Playwright's loop runs in this thread, which Django takes for a reason to refuse the database."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            try:
                browser = launched(playwright)
            except NoBrowserError as error:
                pytest.fail(str(error))
            yield browser
            browser.close()
    finally:
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")
        if before is not None:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's: what is written stays until the module's end, and the server's threads see it."""
    from django.db import connections

    from . import situation  # this file is read before Django is ready

    with django_db_blocker.unblock():
        yield
        situation.no_rows()
        connections.close_all()  # while Playwright's loop runs, this thread has one that nobody sees afterwards


@pytest.fixture(scope="module")
def installation(db: None) -> Iterator[None]:
    """With people in it, and nothing else."""
    from apps.core.owners import end_heartbeat

    from . import situation

    situation.nothing()
    for name, group in GROUPS.items():
        situation.person(name, group, PASSWORD)
    yield
    end_heartbeat()
    situation.nothing()


@pytest.fixture(scope="module")
def site(installation: None) -> Iterator[str]:
    """Its address."""
    server = LiveServer("localhost")
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def seat(chromium: Browser, site: str) -> Iterator[Page]:
    """A page that an administrator has open all the time: what is asked for once is in the browser's cache."""
    with looking(chromium, site) as (context, complaints):
        yield opened(context, complaints, "admin", site)


@pytest.fixture
def desk(seat: Page) -> Iterator[Page]:
    """The same page for each test, and what it complains of meanwhile."""
    complaints: Complaints = seat.complaints  # type: ignore[attr-defined]
    complaints.expected.clear()
    yield seat
    found = complaints.unexpected()
    complaints.found.clear()
    assert not found, "\n".join(found)


@pytest.fixture
def visit(chromium: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Opens a page of the site as somebody of this role; each visit has a browser profile of its own."""
    heard: list[Complaints] = []
    with ExitStack() as visits:

        def visit(role: str = "admin", **options: Any) -> Page:
            context, complaints = visits.enter_context(looking(chromium, site, **options))
            heard.append(complaints)
            return opened(context, complaints, role, site)

        yield visit
        found = [one for complaints in heard for one in complaints.unexpected()]
    assert not found, "\n".join(found)


def opened(context: BrowserContext, complaints: Complaints, role: str, site: str) -> Page:
    if role:
        context.add_cookies([session_of(role, site)])
    page = context.new_page()
    page.complaints = complaints  # type: ignore[attr-defined]
    return page


def session_of(role: str, site: str) -> Any:
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(username=role))
    return {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies["sessionid"].value, "url": site}


def expects(page: Page, *patterns: str) -> None:
    """What this test brings about itself, and the browser may complain of."""
    page.complaints.expected.extend(patterns)  # type: ignore[attr-defined]


def heard(page: Page) -> list[str]:
    """What the browser has complained of in this test."""
    return list(page.complaints.found)  # type: ignore[attr-defined]


def address(name: str, *arguments: str) -> str:
    from django.urls import reverse

    return reverse(f"admin:monitoring_celery_{name}", args=arguments)
