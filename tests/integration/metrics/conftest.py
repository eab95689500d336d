"""Numbers of an installation of the test's own, on the test run's server."""

from collections.abc import Iterator

import pytest

from apps.core.broker.store import MessageStore
from apps.core.redis_client import connect

PREFIX = "test-metrics:"


@pytest.fixture
def store(valkey_url: str) -> Iterator[MessageStore]:
    client = connect(valkey_url)
    client.connection_pool.connection_kwargs["decode_responses"] = False
    store = MessageStore(client, PREFIX)
    forget(store)
    yield store
    forget(store)
    client.close()


def forget(store: MessageStore) -> None:
    for key in store.client.scan_iter(store.prefix + "*"):
        store.client.delete(key)
