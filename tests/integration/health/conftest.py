"""A broker of the test's own, which it may fill, stop and kill."""

from collections.abc import Iterator

import pytest
from celery import current_app

from ..broker.broker_servers import BrokerServer
from ..broker.conftest import crew, trial

__all__ = ["crew", "trial"]


@pytest.fixture(scope="module")
def broker_server() -> Iterator[BrokerServer]:
    made = BrokerServer("valkey")
    yield made
    made.close()


@pytest.fixture
def broker(broker_server: BrokerServer, monkeypatch: pytest.MonkeyPatch) -> BrokerServer:
    """The broker that the settings name, with nothing on it."""
    if not broker_server.answers():
        broker_server.restart()
    broker_server.client.config_set("maxmemory", 0)
    broker_server.client.flushall()
    monkeypatch.setitem(current_app.conf, "broker_url", broker_server.url)
    return broker_server
