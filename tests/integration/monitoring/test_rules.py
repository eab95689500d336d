"""The alert rules: promtool finds them right, each is shown ringing and silent, and each tells people what to do."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from apps.monitoring.navigation import PLACES
from apps.monitoring.prometheus.families import FAMILIES
from apps.monitoring.urls import PAGES

from .promtool import promtool

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "prometheus"
RULES = FOLDER / "rules.yml"
TESTS = sorted((FOLDER / "tests").glob("*.yml"))
DASHBOARD = "{{ $externalLabels.bgjobs_dashboard }}/admin/monitoring/celery/"
DOCUMENT = (FOLDER.parents[1] / "docs" / "monitoring.md").read_text()
METRIC = re.compile(r"\bbgjobs_\w+")


@cache
def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


ALERTS = [rule for rule in rules() if "alert" in rule]


def alert_tests(name: str) -> list[dict[str, Any]]:
    """The checks of this alert in all files: those that expect it to ring have `exp_alerts`."""
    return [
        check
        for path in TESTS
        for test in yaml.safe_load(path.read_text())["tests"]
        for check in test["alert_rule_test"]
        if check["alertname"] == name
    ]


def test_promtool_finds_the_rules_right() -> None:
    promtool("check", "rules", RULES)


def test_the_alerts_ring_and_are_silent_as_they_should() -> None:
    promtool("test", "rules", *TESTS)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_is_shown_ringing_and_silent(alert: dict[str, Any]) -> None:
    shown = [bool(check.get("exp_alerts")) for check in alert_tests(alert["alert"])]
    assert True in shown
    assert False in shown


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_what_to_press_and_where(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("page", "ticket")
    told = alert["annotations"]
    assert set(told) == {"summary", "action", "dashboard", "runbook_url"}
    assert all(told.values())
    assert told["dashboard"].startswith(DASHBOARD)
    page = told["dashboard"].removeprefix(DASHBOARD)
    routes = {re.sub(r"<\w+:\w+>", "{{ $labels.queue }}", one.route) for one in PAGES}
    assert page in routes | {f"{place.name}/" for place in PLACES}


def test_every_metric_that_the_rules_name_is_exported() -> None:
    named = {name for rule in rules() for name in METRIC.findall(rule["expr"])}
    exported = {series for family in FAMILIES for series in family.series}
    assert len(named) >= 12
    assert named <= exported


def test_every_recorded_name_is_used_and_every_used_one_is_recorded() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    used = {name for rule in rules() for name in re.findall(r"\bbgjobs:[\w:]+", rule["expr"])}
    assert recorded == used


@pytest.mark.parametrize("name", [rule["alert"] for rule in ALERTS] + [family.name for family in FAMILIES])
def test_an_alert_and_a_metric_have_their_row(name: str) -> None:
    assert re.search(rf"^\|.*`{name}`.*\|$", DOCUMENT, re.MULTILINE)
