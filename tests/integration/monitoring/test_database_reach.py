"""A database that is gone without a word, or hangs, is found out at once."""

import socket
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection

from apps.monitoring.database_reach import database_answers, database_left_alone
from apps.monitoring.models import MonitoringToken

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """At the database's address connections are taken, and nothing is ever said."""
    connection.close()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        monkeypatch.setitem(connection.settings_dict, "PORT", str(silent.getsockname()[1]))
        yield
    connection.close()


def test_one_that_answers_is_told_so() -> None:
    assert database_answers()


def test_one_that_hangs_is_not_waited_for(hanging: None) -> None:
    assert not database_answers()


def test_one_that_is_left_alone_is_not_asked_and_later_is_asked_again() -> None:
    connection.close()
    with database_left_alone(), pytest.raises(OperationalError, match="a moment ago"):
        MonitoringToken.objects.exists()
    assert not MonitoringToken.objects.exists()
