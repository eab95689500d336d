"""Entries that somebody has paused: their instants are settled, and nothing is fired."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections, transaction

from apps.core.models import Firing, ScheduleState
from apps.core.schedules import every, history, pausing
from apps.core.schedules.fire import fire
from apps.core.schedules.plan import plans_of
from intelliwiz_config.celery import app

from .conftest import MORNING, Clock, entry

pytestmark = pytest.mark.django_db(transaction=True)


def seen(name: str = "n") -> list[tuple[str, str]]:
    return [(f"{row.due:%H:%M}", row.outcome) for row in Firing.objects.filter(entry=name).order_by("due")]


@pytest.fixture
def pause(clock: Clock) -> Callable[..., datetime | None]:
    def paused(name: str = "n", minutes: float = 0) -> datetime | None:
        plan = plans_of(app)[name]
        return pausing.pause(plan, seconds=minutes * 60, by="ann", why="the bank is down", now=clock.now)

    return paused


def test_a_paused_entry_fires_nothing_until_it_is_resumed(clock, timetable, scheduler, queued, pause) -> None:
    timetable(entry(), entry("other"))
    beat = scheduler()
    beat.tick()
    assert pause() is None
    for _ in range(2):
        clock.forward(minutes=30)
        beat.tick()
    assert seen() == [("08:30", "paused"), ("09:00", "paused")]
    assert seen("other") == [("08:30", "enqueued"), ("09:00", "enqueued")]
    row = Firing.objects.filter(entry="n").first()
    assert row is not None
    assert (row.why, row.job, row.ended_at is None) == ("ann: the bank is down", "", False)
    assert pausing.resume("n", now=clock.now)
    assert not pausing.resume("n", now=clock.now)
    clock.forward(minutes=30)
    beat.tick()
    assert seen()[2:] == [("09:30", "enqueued")]
    assert len(queued()) == 4


def test_a_pause_for_a_time_ends_by_itself(clock, timetable, scheduler, pause) -> None:
    timetable(entry())
    beat = scheduler()
    beat.tick()
    assert pause(minutes=60) == MORNING + timedelta(minutes=60)
    for _ in range(3):
        clock.forward(minutes=30)
        beat.tick()
    assert seen() == [("08:30", "paused"), ("09:00", "enqueued"), ("09:30", "enqueued")]
    assert pausing.paused(clock.now) == {}


def test_a_pause_of_a_paused_entry_keeps_its_beginning(clock, timetable, pause) -> None:
    timetable(entry())
    pause()
    clock.forward(minutes=10)
    pause(minutes=10)
    state = ScheduleState.objects.get()
    assert (state.paused_at, state.paused_until) == (MORNING, MORNING + timedelta(minutes=20))
    clock.forward(minutes=30)
    pause()
    state.refresh_from_db()
    assert (state.paused_at, state.paused_until) == (clock.now, None)


@pytest.mark.parametrize("catch_up", ["one", "all", "none"])
def test_what_fell_into_a_pause_while_no_beat_ran_is_not_caught_up(
    clock, timetable, scheduler, pause, catch_up
) -> None:
    timetable(entry(catch_up=catch_up))
    scheduler().tick()
    pause(minutes=75)
    clock.forward(minutes=80)
    scheduler().tick()
    assert seen() == [("08:30", "paused"), ("09:00", "paused")]
    clock.forward(minutes=10)
    scheduler().tick()
    assert seen()[2:] == [("09:30", "enqueued")]


def test_nothing_is_caught_up_while_an_entry_is_paused(clock, timetable, scheduler, queued, pause) -> None:
    timetable(entry())
    scheduler().tick()
    clock.forward(minutes=40)  # no beat sees 08:30
    pause()
    scheduler().tick()
    assert seen() == [("08:30", "paused")]
    assert queued() == []


def test_an_entry_that_no_beat_has_seen_can_be_paused(clock, timetable, scheduler, pause) -> None:
    timetable(entry())
    pause()
    beat = scheduler()
    beat.tick()
    clock.forward(minutes=30)
    beat.tick()
    assert seen() == [("08:30", "paused")]


def test_a_pause_outlives_another_schedule_and_a_beat_with_another_timetable(
    clock, timetable, scheduler, pause
) -> None:
    timetable(entry(), entry("gone"))
    scheduler().tick()
    pause()
    pause("gone", minutes=10)
    timetable(entry(when=every(minutes=10)))
    scheduler().tick()
    assert set(ScheduleState.objects.values_list("name", flat=True)) == {"n", "gone"}
    beat = scheduler()
    clock.forward(minutes=10)
    beat.tick()
    assert seen() == [("08:10", "paused")]
    scheduler().tick()
    assert set(ScheduleState.objects.values_list("name", flat=True)) == {"n"}  # the pause of what is gone is over


def test_paused_firings_are_neither_lost_nor_late(clock, timetable, scheduler, pause) -> None:
    timetable(entry())
    beat = scheduler()
    beat.tick()
    pause()
    clock.forward(minutes=35)
    beat.tick()
    assert not history.never_ran(MORNING).exists()
    assert not history.late(MORNING, clock.now).exists()
    assert history.overdue(plans_of(app).values(), clock.now) == {}


def test_an_entry_with_overlap_is_not_held_by_a_paused_firing(clock, timetable, scheduler, pause) -> None:
    timetable(entry(overlap="skip"))
    beat = scheduler()
    beat.tick()
    pause(minutes=31)
    for _ in range(2):
        clock.forward(minutes=30)
        beat.tick()
    assert seen() == [("08:30", "paused"), ("09:00", "enqueued")]


def test_a_paused_entry_is_fired_by_hand(clock, timetable, queued, pause) -> None:
    timetable(entry())
    pause()
    assert fire(app, plans_of(app)["n"], due=clock.now, now=clock.now, manual=True)
    assert len(queued()) == 1


def test_a_pause_that_comes_while_an_instant_is_being_fired_waits_for_it(clock, timetable, scheduler, pause) -> None:
    """Whoever is first has the row: the firing stands, and the next instant is paused."""
    timetable(entry())
    beat = scheduler()
    beat.tick()
    now = clock.forward(minutes=30)
    done = threading.Event()

    def late() -> None:
        pause()
        done.set()
        connections.close_all()

    thread = threading.Thread(target=late)
    with transaction.atomic():
        fire(app, plans_of(app)["n"], due=now, now=now)
        thread.start()
        assert not done.wait(0.3)
    thread.join()
    clock.forward(minutes=30)
    beat.tick()
    assert seen() == [("08:30", "enqueued"), ("09:00", "paused")]


def test_of_several_beats_one_settles_a_paused_instant(clock, timetable, scheduler, queued, pause) -> None:
    timetable(entry(when=every(minutes=1)))
    beats = [scheduler() for _ in range(3)]
    for beat in beats:
        beat.tick()
    pause()
    barrier = threading.Barrier(len(beats), action=lambda: clock.forward(minutes=1))

    def work(beat: Any) -> None:
        for _ in range(5):
            barrier.wait()
            beat.tick()
        connections.close_all()

    threads = [threading.Thread(target=work, args=(beat,)) for beat in beats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen() == [(f"08:0{minute}", "paused") for minute in range(1, 6)]
    assert queued() == []
