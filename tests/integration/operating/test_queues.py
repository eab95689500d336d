"""Pausing, resuming, purging and restoring queues."""

import time
import uuid

import pytest
from celery import current_app
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError

from apps.core.actions import Actor
from apps.core.broker.store import MessageStore
from apps.core.models import OperatorAction
from apps.core.operating import (
    FailedError,
    RefusedError,
    pause_queue,
    purge_queue,
    restore_purged,
    resume_queue,
)

from ..dead_letters import jobs
from .acts import ANN, QUEUE, audit, run, user_with

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(store: MessageStore) -> int:
    return store.depths([QUEUE])[QUEUE].ready


def test_a_pause_names_who_paused_and_why_and_ends(store: MessageStore) -> None:
    row = pause_queue(QUEUE, seconds=1800, **ANN)
    pause = store.depths([QUEUE])[QUEUE].pause
    assert pause is not None
    assert pause.why == "ann: the bank is down"
    assert pause.until == pytest.approx(time.time() + 1800, abs=5)
    assert (row.target, row.affected) == (f"{QUEUE} for 30m", 1)
    assert row.detail.startswith(f"{QUEUE} is paused until 20")
    assert resume_queue(QUEUE, **ANN).affected == 1
    assert resume_queue(QUEUE, **ANN).detail == f"{QUEUE} was not paused."


def test_the_same_request_pauses_once(store: MessageStore) -> None:
    request = uuid.uuid4()
    pause_queue(QUEUE, request_id=request, **ANN)
    store.resume(QUEUE)
    assert pause_queue(QUEUE, request_id=request, **ANN).result == "done"
    assert store.depths([QUEUE])[QUEUE].pause is None


@pytest.mark.parametrize("seconds", [-1, 367 * 86400, float("nan"), float("inf")])
def test_a_pause_has_a_length_that_makes_sense(seconds: float) -> None:
    with pytest.raises(RefusedError, match="must last between"):
        pause_queue(QUEUE, seconds=seconds, **ANN)


def test_a_purge_wants_the_name_and_can_be_undone(store: MessageStore) -> None:
    for number in range(3):
        jobs.work.delay(number)
    later = jobs.work.apply_async((4,), countdown=600)
    before = store.client.lrange(QUEUE, 0, -1)
    with pytest.raises(RefusedError, match=f"Type the name of the queue, {QUEUE}"):
        purge_queue(QUEUE, typed_name="high", **ANN)
    assert not OperatorAction.objects.exists()
    assert waiting(store) == 3
    assert later.id
    row = purge_queue(QUEUE, typed_name=QUEUE, **ANN)
    assert (row.expected, row.affected) == (3, 3)
    assert row.detail == f"3 jobs of {QUEUE} are set aside, and can be restored for 1d."
    assert waiting(store) == 0
    assert store.depths([QUEUE])[QUEUE].delayed == 1
    assert restore_purged(QUEUE, **ANN).detail == f"3 jobs are back in {QUEUE}."
    assert store.client.lrange(QUEUE, 0, -1) == before
    assert restore_purged(QUEUE, **ANN).affected == 0


def test_the_commands_do_the_same(store: MessageStore) -> None:
    jobs.work.delay(1)
    with pytest.raises(CommandError, match="Type the name of the queue"):
        run("purge", QUEUE, "--reason=why")
    assert run("purge", QUEUE, "--confirm", QUEUE, "--reason=why").startswith("1 jobs of")
    assert run("restore", QUEUE, "--reason=why") == f"1 jobs are back in {QUEUE}."


def test_an_unknown_queue_names_the_nearest_and_leaves_no_row() -> None:
    for action in (pause_queue, resume_queue, restore_purged):
        with pytest.raises(RefusedError, match="There is no queue 'emial'; did you mean 'email'"):
            action("emial", **ANN)  # type: ignore[operator]
    assert not OperatorAction.objects.exists()


def test_a_user_needs_the_permission(store: MessageStore) -> None:
    actor = Actor.of(user_with("pause_queue"))
    pause_queue(QUEUE, actor=actor, reason="why")
    with pytest.raises(PermissionDenied, match="olga may not set aside"):
        purge_queue(QUEUE, typed_name=QUEUE, actor=actor, reason="why")
    assert audit().actor == "olga"


@pytest.mark.usefixtures("no_broker")
def test_a_broker_that_is_down_fails_the_action_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(FailedError, match="The server cannot do this now: ConnectionError"):
        pause_queue(QUEUE, **ANN)
    assert time.monotonic() - began < 3
    assert audit().result == "failed"


def test_another_transport_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.conf, "broker_url", "redis://127.0.0.1:1/0")
    with pytest.raises(RefusedError, match="no leased:// one"):
        pause_queue(QUEUE, **ANN)
    assert not OperatorAction.objects.exists()
