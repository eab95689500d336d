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
from apps.core.operating import letters as letters_of_operators
from apps.core.operating.letters import look_up
from apps.core.outbox import rows
from apps.core.runs.query import RunQuery

from ..dead_letters.letters import saved
from ..runs.made import a_run, written
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
    old = failed("test.dl.work", args="(4711,)", ago=timedelta(hours=3))
    meant = failed("test.dl.work", args="(4711,)")
    failed("test.dl.work", args="(4712,)")
    failed("test.dl.other", args="(4711,)")
    query = "--query=task:test.dl.work reason:permanent since:2h arg:4711"
    listed = json.loads(run("dead-letters", query, "--format=json"))["dead_letters"]
    assert [one["id"] for one in listed] == [meant.pk]
    assert run(action, query, "--dry-run").startswith("1 would be")
    assert run(action, query, "--reason=why").startswith("1 ")
    old.refresh_from_db()
    assert old.state == DeadLetter.State.OPEN
    assert (audit().target, audit().expected, audit().affected) == (
        "task:test.dl.work reason:permanent arg:4711 since:2h",
        1,
        1,
    )
    with pytest.raises(CommandError, match="either by --query or by ids"):
        run(action, query, "--task=x", "--reason=why")
    with pytest.raises(CommandError, match="--query: There is no field 'colour'"):
        run(action, "--query=colour:red", "--reason=why")
    with pytest.raises(CommandError, match="--query: say which"):
        run(action, "--query= ", "--reason=why")


def failed(task: str, *, args: str = "()", ago: timedelta = timedelta(0)) -> DeadLetter:
    """A letter, and the run before it."""
    letter, ended = saved(task), timezone.now() - ago
    written(
        a_run(job=letter.job, task=task, event="retried", reason="transient", args=args, ended_at=ended),
        a_run(job=letter.job, task=task, event="failed", reason="permanent", args=args, ended_at=ended),
    )
    return letter


def test_a_job_is_meant_once_however_many_of_its_runs_are_found() -> None:
    letters = [failed("test.dl.work") for _ in range(3)]
    discard_letters(Selection(names=(letters[0].job,)), **ANN)
    saved("test.dl.work")  # of which there is no run any more
    selection = Selection(runs=RunQuery.parse("task:test.dl.work state:failed state:retried"))
    assert look_up(selection, shown=1).latest == (letters[2],)
    row = retry_letters(selection, **ANN)
    assert (row.expected, row.affected) == (2, 2)
    assert sorted(rows.table().values_list("job", flat=True)) == sorted(one.job for one in letters[1:])
    assert retry_letters(selection, **ANN).affected == 0


def test_a_query_is_looked_up_within_a_searchs_time_and_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        failed("test.dl.work")
    selection = Selection(runs=RunQuery.parse("task:test.dl.work"))
    monkeypatch.setattr(letters_of_operators, "MOST", 2)
    for action in (retry_letters, discard_letters):
        with pytest.raises(RefusedError, match=r"These are more than 2, too many for one look. Add a time"):
            action(selection, **ANN)  # type: ignore[operator]
    monkeypatch.setattr(letters_of_operators, "MOST", 3)
    assert count_letters(selection) == 3

    def slow(_: Selection, most: int | None = None) -> list[int]:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_sleep(10)")
        return []

    monkeypatch.setattr(letters_of_operators, "PATIENCE", 0.05)
    monkeypatch.setattr(Selection, "open_ids", slow)
    with pytest.raises(RefusedError, match=r"took too long to look for them, so nothing is begun. Add a time"):
        retry_letters(selection, **ANN)
    assert not OperatorAction.objects.exists()
    assert DeadLetter.objects.filter(state="open").count() == 3


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
