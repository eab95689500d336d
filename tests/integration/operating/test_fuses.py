"""Fuses: no job of a task starts while its fuse is out."""

import json
import time
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError

from apps.core.actions import Actor
from apps.core.broker.store import MessageStore
from apps.core.models import OperatorAction
from apps.core.operating import RefusedError, fuse_task, unfuse_task

from .acts import ANN, audit, run, user_with

pytestmark = pytest.mark.django_db

TASK = "test.dl.work"


def test_a_fuse_names_who_set_it_why_and_until_when(store: MessageStore) -> None:
    request = uuid.uuid4()
    for _ in range(2):
        row = fuse_task(TASK, seconds=1800, request_id=request, **ANN)
    fuse = store.fuses()[TASK]
    assert fuse.why == "ann: the bank is down"
    assert fuse.until == pytest.approx(time.time() + 1800, abs=5)
    assert (row.target, row.affected) == (f"{TASK} for 30m", 1)
    assert row.detail.startswith(f"No job of {TASK} starts until 20")
    assert unfuse_task(TASK, **ANN).detail == f"{TASK} goes on; 0 parked jobs with it."
    assert store.fuses() == {}
    assert unfuse_task(TASK, **ANN).detail == f"{TASK} was not fused."


@pytest.mark.parametrize("seconds", [0, 59, 86_401, float("nan")])
def test_a_fuse_lasts_a_minute_to_a_day(store: MessageStore, seconds: float) -> None:
    with pytest.raises(RefusedError, match="must last between 1m and 1d"):
        fuse_task(TASK, seconds=seconds, **ANN)
    assert store.fuses() == {}


def test_an_unknown_task_names_the_nearest_and_leaves_no_row(store: MessageStore) -> None:
    with pytest.raises(RefusedError, match=r"no task 'test.dl.wrok'; did you mean 'test.dl.work'"):
        fuse_task("test.dl.wrok", seconds=60, **ANN)
    with pytest.raises(RefusedError, match="no task 'gone'"):
        unfuse_task("gone", **ANN)
    assert not OperatorAction.objects.exists()


def test_the_fuse_of_a_task_that_is_gone_can_be_taken_back(store: MessageStore) -> None:
    store.fuse("gone", seconds=60, why="ann: x")
    assert unfuse_task("gone", **ANN).result == "done"
    assert store.fuses() == {}


def test_a_user_needs_the_permission(store: MessageStore) -> None:
    with pytest.raises(PermissionDenied, match="olga may not keep all jobs of a task from starting"):
        fuse_task(TASK, seconds=60, actor=Actor.of(user_with("pause_queue")), reason="why")


def test_the_commands_do_the_same(store: MessageStore) -> None:
    assert run("fuses") == "No task is fused."
    assert run("fuse", TASK, "--for=1h", "--reason=it loops").startswith(f"No job of {TASK} starts until 20")
    (listed,) = json.loads(run("fuses", "--format=json"))["fuses"]
    assert (listed["task"], listed["by"], listed["why"]) == (TASK, audit().actor, "it loops")
    assert TASK in run("fuses")
    with pytest.raises(CommandError, match="--for"):
        run("fuse", TASK, "--reason=x")
    assert "goes on" in run("unfuse", TASK, "--reason=mended")
