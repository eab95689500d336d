"""The pictures in docs/images, of servers of their own: python -m tests.browser.screenshots"""

import io
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from deploy.local import Stack

from .browser import DESKTOP, PHONE, launched, looking

IMAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
COLOURS: Final = 256  # of a palette
LARGEST: Final = 200_000  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    name: str
    page: str  # of the app
    arguments: tuple[str, ...] = ()
    scheme: str = "light"
    size: dict[str, int]
    whole: bool = False  # not only what is seen at first


def pictures_of_trouble() -> list[Picture]:
    from .situation import DEEP

    tall = DESKTOP | {"height": 1150}
    return [
        *(
            Picture(name=f"{name}-{scheme}", page=page, arguments=arguments, scheme=scheme, size=tall)
            for name, page, arguments in (
                ("overview-trouble", "changelist", ()),
                ("run", "run", (DEEP,)),
                ("failures", "failures", ()),
                ("schedules", "schedules", ()),
            )
            for scheme in ("light", "dark")
        ),
        Picture(name="overview-trouble-phone", page="changelist", size=PHONE),
    ]


def pictures_of_health() -> list[Picture]:
    return [
        Picture(name=f"overview-healthy-{scheme}", page="changelist", scheme=scheme, size=DESKTOP)
        for scheme in ("light", "dark")
    ]


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), durable=False) as stack:
        stack.start_servers()
        os.environ |= stack.environment | {
            "DJANGO_SETTINGS_MODULE": "intelliwiz_config.settings.test",
            "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # Playwright's loop runs in this thread
            "LOG_LEVEL": "ERROR",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        with sync_playwright() as playwright:
            browser = launched(playwright)
            draw(browser)
            browser.close()
        stack.discard()


def draw(browser: Browser) -> None:
    from pytest_django.live_server_helper import LiveServer

    from . import situation

    server = LiveServer("localhost")
    scenes: list[tuple[Callable[[datetime], None], list[Picture]]] = [
        (situation.healthy, pictures_of_health()),
        (situation.trouble, pictures_of_trouble()),
    ]
    try:
        for scene, pictures in scenes:
            situation.no_rows()
            situation.nothing()
            situation.person("admin", "Jobs admin")
            scene(datetime.now(UTC))
            for picture in pictures:
                take(browser, server.url, picture)
    finally:
        server.stop()


def take(browser: Browser, url: str, picture: Picture) -> None:
    from django.urls import reverse

    from .conftest import session_of

    with looking(browser, url, viewport=picture.size, color_scheme=picture.scheme) as (context, complaints):
        context.add_cookies([session_of("admin", url)])
        page = context.new_page()
        page.goto(reverse(f"admin:monitoring_celery_{picture.page}", args=picture.arguments))
        if picture.page == "changelist":
            page.get_by_text("updated 1s ago").wait_for()
        image = compressed(page.screenshot(full_page=picture.whole))
        assert not complaints.found, complaints.found
    assert len(image) < LARGEST, f"{picture.name}: {len(image)} bytes"
    (IMAGES / f"{picture.name}.png").write_bytes(image)
    sys.stdout.write(f"{picture.name:<32}{len(image):>8,} bytes\n")


def compressed(png: bytes) -> bytes:
    image = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=0)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    main()
