"""docs/settings.md names every setting that the code reads."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from apps.core.conf import EngineSettings

CHECKOUT = Path(__file__).resolve().parents[3]
DOCUMENT = (CHECKOUT / "docs" / "settings.md").read_text()
READ = re.compile(r"(?:env(?:\.\w+)?|required(?:_url)?)\(\s*\"([A-Z_]+)\"")


def names_read() -> set[str]:
    return {
        name
        for path in (CHECKOUT / "intelliwiz_config" / "settings").glob("*.py")
        if path.name != "test.py"
        for name in READ.findall(path.read_text())
    }


def test_the_settings_are_found() -> None:
    assert {"BROKER_URL", "SECRET_KEY", "STATE_DIR", "BEHIND_TLS_PROXY"} <= names_read()


@pytest.mark.parametrize("name", sorted(names_read() | {field.name for field in fields(EngineSettings)}))
def test_a_setting_has_its_row(name: str) -> None:
    row = re.search(rf"^\| `{name}` \| (.+) \| (.+) \| (.+) \|$", DOCUMENT, re.MULTILINE)
    assert row, f"{name} has no row with default, unit and meaning"
