"""Real servers for every test run, and the settings that name them.

DJANGO_SETTINGS_MODULE is set here and not in pyproject.toml: pytest-django would read the settings before this file,
and they take the servers' addresses from the environment.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

SETTINGS = "intelliwiz_config.settings.test"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)  # before the import below, which chooses others

from deploy.local import LocalError, Stack  # noqa: E402

STACK = pytest.StashKey[Stack]()
INFORMATION_ONLY = ("help", "version", "collectonly", "markers", "showfixtures", "show_fixtures_per_test")


def pytest_configure(config: pytest.Config) -> None:
    if leaves_tests_to_others(config):
        del os.environ["DJANGO_SETTINGS_MODULE"]  # theirs: they would read the settings before they have servers
        return
    asked = (config.getoption(name, default=False) for name in INFORMATION_ONLY)
    named = {"DATABASE_URL", "BROKER_URL"} <= os.environ.keys()
    if not named and not any(asked):
        start_private_servers(config)
    from django.conf import settings

    _ = settings.DATABASES  # from here on pytest-django finds settings that are configured


def leaves_tests_to_others(config: pytest.Config) -> bool:
    """Whether this process only hands tests to others (pytest -n 2), each of which has servers of its own."""
    return bool(getattr(config.option, "numprocesses", None)) and not hasattr(config, "workerinput")


def start_private_servers(config: pytest.Config) -> None:
    state_dir = Path(tempfile.mkdtemp(prefix="intelliwiz-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(state_dir, ignore_errors=True))
    try:
        stack = Stack(state_dir, durable=False)
        config.add_cleanup(lambda: (stack.close(), stack.discard()))
        services = stack.start_servers()
    except LocalError as error:
        pytest.exit(str(error), returncode=3)
    os.environ |= {
        "STATE_DIR": str(state_dir),
        "DATABASE_URL": services.database_url,
        "BROKER_URL": services.broker_url,
        "RESULT_URL": services.result_url,
    }


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """`make check` leaves slow tests out and `make test` expects none here, so they would never run."""
    unit = Path(__file__).parent / "unit"
    for item in items:
        if item.path.is_relative_to(unit) and item.get_closest_marker("slow"):
            raise pytest.UsageError(f"{item.nodeid} is slow: it belongs in another folder than tests/unit.")


@pytest.fixture(scope="session")
def valkey_url() -> str:
    """Database 0 of the test run's own Valkey. A test that writes to it chooses its own key names."""
    return os.environ["BROKER_URL"]
