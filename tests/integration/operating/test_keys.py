"""Releasing idempotency keys."""

import uuid

import pytest

from apps.core.idempotency import records
from apps.core.models import OperatorAction
from apps.core.operating import FailedError, RefusedError, release_key

from .acts import ANN, audit

pytestmark = pytest.mark.django_db


def test_a_key_is_released_once_for_each_request() -> None:
    key, request = f"test.once:global:key={uuid.uuid4().hex}", uuid.uuid4()
    records().claim(key, job="job-1")
    assert release_key(key, request_id=request, **ANN).detail == f"Released {key}."
    records().claim(key, job="job-2")
    assert release_key(key, request_id=request, **ANN).affected == 1
    record = records().look_up(key)
    assert record is not None
    assert record.fields["job"] == "job-2"
    records().release(key)
    assert release_key(key, **ANN).detail == f"Nobody held {key}, and nothing was stored for it."


@pytest.mark.parametrize("key", ["", "a\0b"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(RefusedError, match="Say which key"):
        release_key(key, **ANN)
    assert not OperatorAction.objects.exists()


def test_a_store_that_is_down_fails_the_action(monkeypatch: pytest.MonkeyPatch) -> None:
    from apps.core.idempotency import IdempotencyStore
    from apps.core.redis_client import connect

    from ..broker.private_server import free_port

    nobody = IdempotencyStore(connect(f"redis://127.0.0.1:{free_port()}/0"))
    monkeypatch.setattr("apps.core.operating.keys.records", lambda: nobody)
    with pytest.raises(FailedError, match="cannot do this now: ConnectionError"):
        release_key("k", **ANN)
    assert audit().result == "failed"
