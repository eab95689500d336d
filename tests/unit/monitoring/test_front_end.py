"""What the files of the pages must not do, and that their colours can be read."""

import re
from itertools import product
from pathlib import Path

import django
import pytest

import apps.monitoring
from apps.monitoring.navigation import PLACES
from apps.monitoring.templatetags.monitoring import WRITTEN

HERE = Path(apps.monitoring.__file__).parent
SCRIPTS = sorted(HERE.glob("static/**/*.js"))
TEMPLATES = sorted(HERE.glob("templates/**/*.html"))
STYLES = HERE / "static" / "monitoring" / "pages.css"
ADMIN = Path(django.__file__).parent / "contrib" / "admin" / "static" / "admin" / "css"

Colour = tuple[float, float, float]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_make_no_markup_of_data(script: Path) -> None:
    text = script.read_text()
    for name in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "import(",
    ):
        assert name not in text, name


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_escape_everything_and_have_nothing_inline(template: Path) -> None:
    text = template.read_text()
    for forbidden in (
        r"\|\s*safe",
        r"autoescape\s+off",
        r"<style",
        r"\sstyle=",
        r"\son(?!e=)[a-z]+=",
        r"javascript:",
    ):
        assert not re.search(forbidden, text, re.IGNORECASE), forbidden
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_no_text_is_declared_safe() -> None:
    for path in HERE.glob("**/*.py"):
        assert "mark_safe" not in path.read_text(), path


def test_the_script_that_keeps_values_alive_writes_each_format() -> None:
    script = next(path for path in SCRIPTS if path.name == "live.js").read_text()
    table = script[script.index("const written") : script.index("};", script.index("const written"))]
    for name in WRITTEN:
        assert re.search(rf"^  {name}:", table, re.MULTILINE), name


def test_no_two_places_have_one_key() -> None:
    keys = [place.key for place in PLACES]
    assert len(keys) == len(set(keys))
    assert "g" not in keys


def colours(text: str, selector: str) -> dict[str, Colour]:
    """The variables of the first block with this selector."""
    block = text[text.index("{", text.index(selector)) :]
    found = re.findall(r"--([\w-]+):\s*#([0-9a-f]{3,6})\b", block[: block.index("}")], re.IGNORECASE)
    return {name: channels(digits) for name, digits in found}


def channels(digits: str) -> Colour:
    full = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
    red, green, blue = (int(full[place : place + 2], 16) / 255 for place in (0, 2, 4))
    return red, green, blue


def luminance(colour: Colour) -> float:
    """As WCAG 2.2 defines it."""
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in colour]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("selector", "sheet"), [('html[data-theme="light"]', "base.css"), ('html[data-theme="dark"]', "dark_mode.css")]
)
def test_own_colours_can_be_read_on_both_backgrounds(selector: str, sheet: str) -> None:
    own = colours(STYLES.read_text(), selector)
    admins = colours((ADMIN / sheet).read_text(), selector)
    assert len(own) == 3
    for name, ground in product(own, ("body-bg", "darkened-bg")):
        assert contrast(own[name], admins[ground]) >= 4.5, (name, ground)


def test_the_dark_theme_is_the_same_whoever_asks_for_it() -> None:
    text = STYLES.read_text()
    by_system = colours(text[text.index("prefers-color-scheme: dark") :], ":root")
    assert by_system == colours(text, 'html[data-theme="dark"]')
