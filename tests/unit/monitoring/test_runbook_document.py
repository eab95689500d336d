"""What docs/runbook.md names is there: problem codes, buttons, commands, alerts. That it is right is shown elsewhere:
tests/integration/monitoring/test_runbook.py.
"""

import re
from typing import Any

import pytest
import yaml

from apps.core.commands import SUBCOMMANDS
from apps.core.health.problem import CODES
from apps.monitoring.offers.catalogue import OFFERS
from tests.integration.monitoring.runbook import DOCUMENT, Section, sections

ROOT = DOCUMENT.parents[1]
LABELS = {offer.label for offer in OFFERS.values()} | {
    label
    for path in (ROOT / "apps/monitoring/templates/monitoring").glob("*.html")
    for label in re.findall(r'label="([^"]+)"', path.read_text())
}


@pytest.mark.parametrize("section", sections().values(), ids=lambda section: section.title)
def test_a_section_names_what_there_is(section: Section) -> None:
    """Problem codes, buttons, commands and alerts, and how one sees that it is over."""
    known = {subcommand.NAME for subcommand in SUBCOMMANDS}
    assert "code" not in section.rows or section.code in CODES
    assert set(re.findall(r"\*\*([^*]+)\*\*", section.rows.get("page", ""))) <= LABELS
    assert {line.split()[2] for line in section.commands if line.startswith("manage.py jobs")} <= known
    assert section.commands
    for part in ("**It means**", "**Press**" if section.title != "Nothing is known" else "", "**It is over**"):
        assert part in section.text
    alerts = set(re.findall(r"Bgjobs\w+", section.rows.get("alert", "")))
    assert alerts == {alert["alert"] for alert in _alerts() if _anchor(alert) == section.anchor}


def test_every_alert_leads_to_a_section() -> None:
    anchors = {section.anchor for section in sections().values()}
    assert {_anchor(alert) for alert in _alerts()} <= anchors
    assert set(re.findall(r"\]\(#([\w-]+)\)", DOCUMENT.read_text())) == anchors


def _alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def _anchor(alert: dict[str, Any]) -> str:
    return str(alert["annotations"]["runbook_url"]).partition("#")[2]
