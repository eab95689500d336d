"""Firing, pausing and resuming entries of the timetable."""

import uuid
from datetime import timedelta

import pytest
from celery import current_app
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError
from django.utils import timezone

from apps.core.actions import Actor
from apps.core.models import Firing, OperatorAction, ScheduleState
from apps.core.operating import RefusedError, fire_entry, pause_entry, resume_entry
from apps.core.schedules import Entry, every, pausing

from ..schedules import jobs  # noqa: F401 - the tasks
from .acts import ANN, run, user_with

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def timetable(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry(name="sweep", task="test.fired", when=every(minutes=30), expires=600)
    monkeypatch.setitem(current_app.conf, "beat_schedule", {"sweep": entry.as_beat_entry()})


def test_a_pause_says_who_why_and_until_when() -> None:
    now = timezone.now()
    row = pause_entry("sweep", seconds=7200, **ANN)
    state = ScheduleState.objects.get()
    assert (state.paused_by, state.paused_why) == ("ann", "the bank is down")
    assert state.paused_until is not None
    assert timedelta(0) <= state.paused_until - now - timedelta(hours=2) < timedelta(seconds=10)
    assert (row.target, row.affected) == ("sweep for 2h", 1)
    assert row.detail == f"sweep is paused until {state.paused_until:%Y-%m-%dT%H:%M:%SZ}."
    assert set(pausing.paused(timezone.now())) == {"sweep"}
    assert resume_entry("sweep", **ANN).detail == "sweep goes on."
    assert pausing.paused(timezone.now()) == {}
    assert resume_entry("sweep", **ANN).detail == "sweep was not paused."


def test_the_same_request_pauses_and_fires_once() -> None:
    request, another = uuid.uuid4(), uuid.uuid4()
    for _ in range(2):
        pause_entry("sweep", request_id=request, **ANN)
        row = fire_entry("sweep", request_id=another, **ANN)
        resume_entry("sweep", **ANN)
    assert pausing.paused(timezone.now()) == {}
    firing = Firing.objects.get()
    assert row.detail == f"Fired sweep: job {firing.job}."


def test_an_unknown_entry_names_the_nearest_and_leaves_no_row() -> None:
    for action in (fire_entry, pause_entry, resume_entry):
        with pytest.raises(RefusedError, match="no entry 'swep'; did you mean 'sweep'"):
            action("swep", **ANN)  # type: ignore[operator]
    with pytest.raises(RefusedError, match="must last between"):
        pause_entry("sweep", seconds=-5, **ANN)
    assert not OperatorAction.objects.exists()
    assert not ScheduleState.objects.exists()


def test_the_pause_of_an_entry_that_is_gone_can_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    pause_entry("sweep", **ANN)
    monkeypatch.setitem(current_app.conf, "beat_schedule", {})
    assert resume_entry("sweep", **ANN).affected == 1


def test_who_may_fire_may_pause_and_nobody_else() -> None:
    actor = Actor.of(user_with("pause_queue"))
    with pytest.raises(PermissionDenied, match="olga may not fire, pause and resume entries"):
        pause_entry("sweep", actor=actor, reason="why")
    assert not ScheduleState.objects.exists()


def test_the_commands_do_the_same() -> None:
    assert run("pause-entry", "sweep", "--reason=why") == "sweep is paused until it is resumed."
    assert run("resume-entry", "sweep", "--reason=why") == "sweep goes on."
    assert run("pause-entry", "sweep", "--for=1h30m", "--reason=why").startswith("sweep is paused until 20")
    with pytest.raises(CommandError, match="did you mean 'sweep'"):
        run("pause-entry", "swep", "--reason=why")
    actor = ScheduleState.objects.get().paused_by
    assert actor.startswith("cli:")
    assert OperatorAction.objects.filter(actor=actor).count() == 3
