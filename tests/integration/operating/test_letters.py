"""Retrying and discarding dead letters, and editing one."""

import base64
import json
import threading
import uuid
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.db import connections
from django.utils import timezone

from apps.core.dead_letters.replay import Replay
from apps.core.dead_letters.selection import Selection
from apps.core.models import DeadLetter, OperatorAction
from apps.core.operating import RefusedError, count_letters, discard_letters, edit_and_retry, retry_letters
from apps.core.outbox import rows

from ..dead_letters.letters import saved
from .acts import ANN, audit, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_selection_is_counted_first_and_retried_once_for_each_request() -> None:
    for number in range(3):
        saved("test.dl.work", number)
    selection, request = Selection(task="test.dl.work"), uuid.uuid4()
    assert count_letters(selection) == 3
    for _ in range(2):
        row = retry_letters(selection, request_id=request, **ANN)
        assert (row.expected, row.affected) == (3, 3)
    assert row.detail == "3 replayed: the relay publishes them."
    assert rows.table().count() == 3


def test_the_request_of_a_letter_that_is_closed_by_it_returns_its_row() -> None:
    letter, request = saved("test.dl.work"), uuid.uuid4()
    selection = Selection(names=(str(letter.pk),))
    first = discard_letters(selection, request_id=request, **ANN)
    assert discard_letters(selection, request_id=request, **ANN).pk == first.pk
    with pytest.raises(RefusedError, match="No open dead letter is named"):
        discard_letters(selection, **ANN)


def test_nothing_selected_is_not_everything() -> None:
    letter = saved("test.dl.work")
    for action in (retry_letters, discard_letters):
        with pytest.raises(RefusedError, match="Say which dead letters"):
            action(Selection(), **ANN)  # type: ignore[operator]
    letter.refresh_from_db()
    assert letter.state == DeadLetter.State.OPEN
    assert not OperatorAction.objects.exists()


def test_what_stays_is_said() -> None:
    saved("test.dl.work", fingerprint="f")
    unreadable = saved("", message=b"\xff", fingerprint="f")
    row = retry_letters(Selection(fingerprint="f"), how=Replay(rate=0.5), **ANN)
    assert row.affected == 1
    assert f"1 stay: their messages are no jobs', and can only be discarded ({unreadable.pk})." in row.detail


def test_a_job_is_retried_with_other_arguments() -> None:
    letter = saved("test.dl.work", 7)
    with pytest.raises(RefusedError, match="does not take these arguments"):
        edit_and_retry(letter.pk, '{"nonsense": 1}', **ANN)
    with pytest.raises(RefusedError, match="not JSON"):
        edit_and_retry(letter.pk, "{", **ANN)
    assert not OperatorAction.objects.exists()
    row = edit_and_retry(letter.pk, '{"number": 8}', **ANN)
    assert row.target == f"{letter.pk}, new arguments"
    message = json.loads(rows.table().get().message)
    assert json.loads(base64.b64decode(message["body"]))[:2] == [[], {"number": 8}]


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_the_commands_take_a_query(action: str) -> None:
    old = saved("test.dl.work", last_at=timezone.now() - timedelta(hours=3))
    saved("test.dl.work")
    saved("test.dl.other")
    query = "--query=task:test.dl.work reason:permanent since:2h"
    assert run(action, query, "--dry-run").startswith("1 would be")
    assert run(action, query, "--reason=why").startswith("1 ")
    assert run("dead-letters", "--query=task:test.dl.work", "--format=json").count('"id"') == 1
    old.refresh_from_db()
    assert old.state == DeadLetter.State.OPEN
    assert audit().target.startswith("task=test.dl.work, reason=permanent, since=20")
    with pytest.raises(CommandError, match="either by --query or by ids"):
        run(action, query, "--task=x", "--reason=why")
    with pytest.raises(CommandError, match="there is no field 'colour'"):
        run(action, "--query=colour:red", "--reason=why")


def test_of_two_who_send_one_request_at_once_one_acts() -> None:
    for number in range(3):
        saved("test.dl.work", number)
    request, barrier, found = uuid.uuid4(), threading.Barrier(2), []

    def send() -> None:
        barrier.wait()
        found.append(retry_letters(Selection(task="test.dl.work"), request_id=request, **ANN).pk)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [audit().pk] * 2
    assert rows.table().count() == 3
