"""Revoking jobs, and revealing their arguments."""

import json
import time
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError

from apps.core.actions import Actor
from apps.core.broker.store import MessageStore
from apps.core.dead_letters.replay import Replay
from apps.core.dead_letters.selection import Selection
from apps.core.models import OperatorAction
from apps.core.operating import FailedError, RefusedError, retry_letters, reveal_arguments, revoke_jobs

from ..dead_letters import jobs
from ..dead_letters.letters import saved
from .acts import ANN, run, user_with

pytestmark = pytest.mark.django_db(transaction=True)


def test_revoked_jobs_do_not_start_any_more(store: MessageStore) -> None:
    found = [jobs.work.delay(number).id for number in range(2)]
    row = revoke_jobs([*found, found[0]], **ANN)
    assert (row.target, row.expected, row.affected) == (", ".join(found), 2, 2)
    assert set(store.revoked_since(0)) == set(found)
    assert "It was revoked" in run("why", found[0])


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([], "Say which jobs"),
        ([""], "'' is no job's id"),
        (["a b\n"], "is no job's id"),
        (["x" * 256], "is no job's id"),
        ([str(number) for number in range(1001)], "1001 jobs are more than the 1000"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_job_is_refused(ids: list[str], message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        revoke_jobs(ids, **ANN)
    assert not OperatorAction.objects.exists()


@pytest.mark.usefixtures("no_broker")
def test_a_broker_that_is_down_is_not_waited_for() -> None:
    began = time.monotonic()
    with pytest.raises(FailedError, match="cannot do this now"):
        revoke_jobs(["a"], **ANN)
    assert time.monotonic() - began < 3


# revealing


def test_the_arguments_of_a_dead_letter_are_revealed_once_and_never_written() -> None:
    letter = saved("test.dl.secret", "ann", "hunter2-s3cret")
    for name in (letter.pk, str(letter.pk), letter.job):
        request = uuid.uuid4()
        row, arguments = reveal_arguments(name, request_id=request, **ANN)
        assert arguments == (["ann", "hunter2-s3cret"], {})
        assert (row.target, row.affected, row.reason) == (str(name), 1, "the bank is down")
        assert "hunter2" not in str(vars(row))
        again, nothing = reveal_arguments(name, request_id=request, **ANN)
        assert (again.pk, nothing) == (row.pk, None)


def test_those_of_a_waiting_job_are_in_its_message(store: MessageStore) -> None:
    job = jobs.work.delay(7, label="x").id
    assert reveal_arguments(job, **ANN)[1] == ([7], {"label": "x"})


def test_those_of_a_job_that_is_retried_with_others_are_the_new_ones() -> None:
    letter = saved("test.dl.work", 7)
    selection = Selection(names=(letter.job,))
    retry_letters(selection, how=Replay(arguments=([8], {})), **ANN)
    assert reveal_arguments(letter.job, **ANN)[1] == ([8], {})
    assert reveal_arguments(letter.pk, **ANN)[1] == ([7], {})


def test_what_is_gone_or_unreadable_is_said(store: MessageStore) -> None:
    row, arguments = reveal_arguments("never-was", **ANN)
    assert (arguments, row.affected) == (None, 0)
    assert row.detail.startswith("Its message is gone")
    letter = saved("", message=b"\xff", job="")
    row, arguments = reveal_arguments(letter.pk, **ANN)
    assert (arguments, row.detail) == (None, "Its message cannot be read.")


def test_it_takes_a_permission_of_its_own() -> None:
    letter = saved("test.dl.work", 7)
    user = user_with("retry_task", "discard_task")
    with pytest.raises(PermissionDenied, match="olga may not see the arguments of jobs unmasked"):
        reveal_arguments(letter.pk, actor=Actor.of(user), reason="why")
    assert not OperatorAction.objects.exists()


def test_the_commands_do_the_same(store: MessageStore) -> None:
    letter = saved("test.dl.secret", "ann", "hunter2-s3cret")
    assert json.loads(run("reveal", str(letter.pk), "--reason=why")) == {
        "args": ["ann", "hunter2-s3cret"],
        "kwargs": {},
    }
    with pytest.raises(CommandError, match="Its message is gone"):
        run("reveal", "never-was", "--reason=why")
    assert run("revoke", "a", "b", "--reason=why") == "These 2 do not start any more."
    assert audit_of("revoke-jobs").affected == 2


def audit_of(action: str) -> OperatorAction:
    return OperatorAction.objects.filter(action=action).get()
