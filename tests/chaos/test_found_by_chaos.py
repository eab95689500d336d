"""Faults that only a chaos run has shown, each by itself."""

import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import billiard
import pytest
from celery.exceptions import Retry
from django.db import OperationalError

from apps.core.idempotency import guard
from apps.core.owners import Heartbeat
from apps.core.owners.workers import _pids_of

from ..integration.workers import eventually


def test_a_child_that_is_about_to_be_forked_has_no_sign_of_life() -> None:
    current = billiard.current_process()
    pool = SimpleNamespace(_pool=SimpleNamespace(_pool=[billiard.Process(), current]))
    assert list(_pids_of(pool)()) == [current.pid]


def test_a_heartbeat_goes_on_after_an_error_of_its_own(settings: Any) -> None:
    """Else a worker that works would be taken for dead, and its jobs would run twice."""
    settings.BGJOBS = {**settings.BGJOBS, "heartbeat_every": 0.01}
    beats, chores = [], []

    def pulse(owners: Sequence[str]) -> None:
        beats.append(owners)
        raise TypeError

    def chore() -> None:
        chores.append(threading.current_thread())
        raise RuntimeError

    heartbeat = Heartbeat({"some server": pulse})
    heartbeat.chores = (chore,)
    heartbeat.start()
    try:
        eventually(lambda: len(beats) > 2 and len(chores) > 2)
    finally:
        heartbeat.stop()
        heartbeat.join()


def test_a_record_that_cannot_be_read_now_costs_a_durable_job_a_retry_and_not_its_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is read when a job is delivered again, such as by the failure of the same database a moment ago."""

    def down(*_: Any) -> None:
        raise OperationalError("down")

    def retry(*, exc: Exception) -> Retry:
        return Retry(exc=exc)

    monkeypatch.setattr(guard.durable, "done_before", down)
    task: Any = SimpleNamespace(durable=True, request=SimpleNamespace(id="one"), retry=retry)
    with pytest.raises(Retry):
        guard._durably(task, "the key", lambda: pytest.fail("it has run"), may_be_done=True)()
