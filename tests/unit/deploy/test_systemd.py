"""The deployment files start what `make run` starts."""

import configparser
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from intelliwiz_config.pools import POOLS

SYSTEMD = Path(__file__).resolve().parents[3] / "deploy" / "systemd"


def test_the_target_wants_a_worker_of_every_pool_and_of_no_other() -> None:
    target = (SYSTEMD / "intelliwiz.target").read_text()
    wanted = re.findall(r"^Wants=intelliwiz-worker@(.+)\.service$", target, re.MULTILINE)
    assert wanted == [pool.name for pool in POOLS]


@pytest.mark.parametrize("unit", sorted(SYSTEMD.glob("*.service")), ids=lambda path: path.name)
def test_every_service_comes_back_after_its_death_and_has_few_rights(unit: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.read_text())
    service = parser["Service"]
    assert service["Restart"] == "always"
    assert service["User"] == "intelliwiz"
    assert service["NoNewPrivileges"] == service["PrivateTmp"] == "yes"


def test_the_example_environment_names_what_production_requires() -> None:
    example = (SYSTEMD / "intelliwiz.env.example").read_text()
    for name in ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "BROKER_URL", "RESULT_URL", "SMTP_URL", "PUBLIC_URL"):
        assert f"\n{name}=" in example


def test_a_worker_of_an_unknown_pool_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(CommandError, match="no pool 'crtical'; did you mean 'critical'"):
        call_command("jobs", "worker", "crtical", stdout=StringIO())


def test_a_pools_worker_is_started_with_the_pools_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import current_app

    seen: list[list[str]] = []
    monkeypatch.setattr(type(current_app._get_current_object()), "worker_main", lambda self, argv: seen.append(argv))
    call_command("jobs", "worker", "critical")
    assert seen == [["worker", *POOLS[0].worker_arguments(), "--loglevel=info"]]
