"""A real browser that looks at the pages, and fails the test for whatever it complains about."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, Response

DESKTOP: Final = {"width": 1280, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
MISSING: Final = "There is no chromium on PATH, and these tests need one: `apt-get install chromium`."
PATIENCE: Final = 8_000  # milliseconds


class NoBrowserError(Exception):
    """What to install, in words."""


def launched(playwright: Playwright) -> Browser:
    """Raises NoBrowserError."""
    program = shutil.which("chromium")
    if program is None:
        raise NoBrowserError(MISSING)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(
        executable_path=program, args=[*as_root, "--disable-dev-shm-usage", "--force-color-profile=srgb"]
    )


class Complaints:
    """What a context's pages have said against us. `expected` names what this test brings about itself."""

    def __init__(self, context: BrowserContext) -> None:
        self.found: list[str] = []
        self.expected: list[str] = []  # regular expressions
        context.on("console", self._console)
        context.on("weberror", lambda error: self.found.append(f"error on the page: {error.error}"))
        context.on("response", self._response)
        context.on("requestfailed", self._failed)
        context.on(
            "dialog", lambda dialog: (self.found.append(f"a dialog opened: {dialog.message}"), dialog.dismiss())
        )

    def unexpected(self) -> list[str]:
        return [one for one in self.found if not any(re.search(pattern, one) for pattern in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.found.append(f"{response.status} of {response.url}")

    def _failed(self, request: Request) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # whoever leaves a page lets its requests go
            self.found.append(f"no answer: {request.failure} of {request.url}")


@contextmanager
def looking(browser: Browser, base_url: str, **options: Any) -> Iterator[tuple[BrowserContext, Complaints]]:
    """A context of its own, without cookies."""
    context = browser.new_context(base_url=base_url, viewport=options.pop("viewport", DESKTOP), **options)
    context.set_default_timeout(PATIENCE)
    complaints = Complaints(context)
    try:
        yield context, complaints
    finally:
        context.close()


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width
