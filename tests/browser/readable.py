"""Whether everybody can read a page, whatever they see it on: axe-core's judgement, and the width of a phone."""

from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from .browser import DESKTOP, PHONE, sideways

TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
ALL_BUT_COLOURS = ALL | {"rules": {"color-contrast": {"enabled": False}}}

AXE = Axe().axe_script


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


def faults_of(page: Page, address: str, heading: str, *, colours: bool = True) -> list[str]:
    """The phone in full, the colours once more in the dark, and what else there is on a desk.

    `colours=False` is for what has the same colours as a page that is looked at besides: they take most of the time.
    """
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    page.goto(address)
    assert page.locator("#content h1").all_inner_texts() == [heading], address
    page.evaluate(AXE)
    faults = []

    def note(where: str, said: str) -> None:
        if said:
            faults.append(f"{address} ({where}):\n  {said}")

    note("phone, light", judged(page, ALL if colours else ALL_BUT_COLOURS))
    if wider := sideways(page):
        note("phone", f"{wider} pixels wider than the window")
    if colours:
        page.emulate_media(color_scheme="dark")
        settle(page)
        note("phone, dark", judged(page, COLOURS))
    page.set_viewport_size(DESKTOP)
    note("desk", judged(page, ALL_BUT_COLOURS))
    return faults
