"""What one or several schedulers do with a timetable, on a clock that the test moves."""

import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import Error as DatabaseError
from django.db import connection, connections, transaction

from apps.core import steps
from apps.core.models import Firing, OutboxMessage, ScheduleState
from apps.core.schedules import every, rows

from .conftest import MORNING, entry

pytestmark = pytest.mark.django_db(transaction=True)
Outcome = Firing.Outcome


def history(name: str = "n") -> list[tuple[str, str]]:
    return [(f"{row.due:%H:%M}", row.outcome) for row in Firing.objects.filter(entry=name).order_by("due")]


def test_a_beat_that_was_told_to_end_ends_with_its_next_look_at_the_clock(scheduler, timetable) -> None:
    """Where the exception of the signal's handler was lost in a finaliser."""
    timetable(entry())
    beat = scheduler()
    beat.tick()
    beat.close()
    with pytest.raises(SystemExit):
        beat.tick()


def test_a_due_instant_is_a_row_and_a_job_that_carries_it(clock, timetable, scheduler, queued) -> None:
    timetable(entry(args=("a",)))
    beat = scheduler()
    assert beat.tick() == 1
    assert Firing.objects.count() == 0
    due = MORNING + timedelta(minutes=30)
    now = clock.forward(minutes=30, seconds=0.4)
    beat.tick()
    row = Firing.objects.get()
    assert (row.entry, row.due, row.manual, row.outcome) == ("n", due, False, Outcome.ENQUEUED)
    assert (row.enqueued_at, row.started_at, row.ended_at) == (now, None, None)
    (job,) = queued()
    assert (job["id"], job["task"]) == (row.job, "test.fired")
    assert (job["bgjobs_entry"], job["bgjobs_firing"]) == ("n", due.isoformat())
    assert job["expires"] is not None
    for _ in range(3):
        beat.tick()
    assert len(queued()) == 1


def test_nothing_is_asked_of_the_database_while_nothing_is_due(
    clock, timetable, scheduler, django_assert_num_queries
) -> None:
    timetable(entry())
    beat = scheduler()
    beat.tick()
    with django_assert_num_queries(0):
        for _ in range(20):
            assert beat.tick() == 1
            clock.forward(seconds=60)
    clock.forward(minutes=9, seconds=59.75)
    assert beat.tick() == pytest.approx(0.25)


def test_several_beats_in_the_same_tick_fire_once(clock, timetable, scheduler, queued) -> None:
    timetable(*(entry(f"n{number}", when=every(minutes=1)) for number in range(5)))
    beats = [scheduler() for _ in range(4)]
    for beat in beats:
        beat.tick()
    barrier = threading.Barrier(len(beats), action=lambda: clock.forward(minutes=1))

    def work(beat: Any) -> None:
        for _ in range(8):
            barrier.wait()
            beat.tick()
        connections.close_all()

    threads = [threading.Thread(target=work, args=(beat,)) for beat in beats]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(Firing.objects.values_list("entry", "due", "outcome")) == {
        (f"n{number}", MORNING + timedelta(minutes=minute), "enqueued")
        for number in range(5)
        for minute in range(1, 9)
    }
    assert sorted(job["id"] for job in queued()) == sorted(Firing.objects.values_list("job", flat=True))


def test_a_beat_that_is_stopped_in_a_firing_holds_the_others_up_for_a_second(clock, timetable, scheduler) -> None:
    timetable(entry())
    beat = scheduler()
    beat.tick()
    clock.forward(minutes=30)
    entered, leave = threading.Event(), threading.Event()

    def stopped() -> None:
        with suppress(DatabaseError), transaction.atomic():  # PostgreSQL ends it
            rows.settle("n", clock.now)
            entered.set()
            leave.wait(30)
        connections.close_all()

    thread = threading.Thread(target=stopped)
    thread.start()
    entered.wait()
    began = time.monotonic()
    beat.tick()
    assert time.monotonic() - began < 2
    assert history() == [("08:30", Outcome.ENQUEUED)]
    leave.set()
    thread.join()


def test_what_is_due_waits_for_the_database(clock, timetable, scheduler, queued, caplog) -> None:
    timetable(entry())
    beat = scheduler()
    beat.tick()
    clock.forward(minutes=30)
    for _ in range(2):
        connection.ensure_connection()
        end_this_session()
        assert beat.tick() == beat.max_interval
    beat.tick()
    assert history() == [("08:30", Outcome.ENQUEUED)]
    assert len(queued()) == 1
    said = [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)]
    assert [event for event in said if "database" in event] == ["beat.database_down", "beat.database_recovered"]


def end_this_session() -> None:
    """As a restart of the database does."""
    pid = connection.connection.info.backend_pid
    other = connection.copy("other")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()


def test_an_entry_that_cannot_be_enqueued_is_a_failed_firing_and_stops_no_other(
    clock, timetable, scheduler, queued
) -> None:
    timetable(entry("bad", args=(object(),)), entry("good"))
    beat = scheduler()
    beat.tick()
    clock.forward(minutes=30)
    for _ in range(3):
        beat.tick()
    assert history("bad") == [("08:30", Outcome.FAILED)]
    assert "not enqueued: EncodeError" in Firing.objects.get(entry="bad").why
    assert ScheduleState.objects.get(name="bad").settled == clock.now
    assert history("good") == [("08:30", Outcome.ENQUEUED)]
    assert len(queued()) == 1


def test_a_firing_that_is_rolled_back_leaves_neither_row_nor_job_and_is_fired_next(
    clock, timetable, scheduler, queued
) -> None:
    timetable(entry())
    beat = scheduler()
    beat.tick()
    clock.forward(minutes=30)

    def breaks(*, step: str, **_: Any) -> None:
        if step == "firing.enqueued":
            assert OutboxMessage.objects.count() == Firing.objects.count() == 1
            end_this_session()

    steps.observe(breaks)
    try:
        assert beat.tick() == beat.max_interval
    finally:
        steps._reached.disconnect(breaks)
    assert OutboxMessage.objects.count() == Firing.objects.count() == len(queued()) == 0
    beat.tick()
    assert len(queued()) == Firing.objects.count() == 1


class TestAfterTwoHoursDown:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"catch_up": "one"}, ["missed", "missed", "missed", "enqueued"]),
            ({"catch_up": "all"}, ["enqueued"] * 4),
            ({"catch_up": "all", "catch_up_window": 3000}, ["missed", "missed", "enqueued", "enqueued"]),
            ({"catch_up": "none"}, ["missed"] * 4),
            ({"catch_up": "one", "catch_up_window": 60}, ["missed"] * 4),
        ],
    )
    def test_the_policy_decides(self, clock, timetable, scheduler, queued, options, expected) -> None:
        timetable(entry(**options))
        beat = scheduler()
        beat.tick()
        clock.forward(minutes=30)
        beat.tick()
        clock.forward(hours=2, minutes=1, seconds=1)  # it is 10:31:01
        for _ in range(2):
            scheduler().tick()
        instants = ["09:00", "09:30", "10:00", "10:30"]
        assert history() == [("08:30", "enqueued"), *zip(instants, expected, strict=True)]
        caught_up = [datetime.fromisoformat(job["bgjobs_firing"]) for job in queued()][1:]
        fired = [at for at, outcome in zip(instants, expected, strict=True) if outcome == "enqueued"]
        assert [f"{due:%H:%M}" for due in caught_up] == fired  # oldest first
        clock.forward(minutes=29)
        scheduler().tick()
        assert history()[-1] == ("11:00", "enqueued")

    def test_a_beat_that_slept_itself_does_likewise(self, clock, timetable, scheduler) -> None:
        timetable(entry())
        beat = scheduler()
        beat.tick()
        clock.forward(hours=2)
        beat.tick()
        assert history() == [("08:30", "missed"), ("09:00", "missed"), ("09:30", "missed"), ("10:00", "enqueued")]

    def test_many_to_catch_up_do_not_hold_up_the_others(self, clock, timetable, scheduler, queued) -> None:
        timetable(entry("many", when=every(minutes=1), catch_up="all"), entry("other"))
        beat = scheduler()
        beat.tick()
        clock.forward(hours=2)
        assert beat.tick() == 0
        assert history("other")[-1] == ("10:00", "enqueued")
        assert Firing.objects.filter(entry="many").count() < 60
        while beat.tick() == 0:
            pass
        assert [outcome for _, outcome in history("many")] == ["enqueued"] * 120
        assert len(queued()) == 121

    def test_a_new_entry_and_one_with_a_new_schedule_catch_up_nothing(self, clock, timetable, scheduler) -> None:
        timetable(entry("stays"), entry("changes"))
        scheduler().tick()
        clock.forward(hours=2, minutes=10)
        timetable(entry("stays"), entry("changes", when="0,30 * * * *"), entry("new", catch_up="all"))
        scheduler().tick()
        assert history("stays")[-1] == ("10:00", "enqueued")
        assert history("changes") == history("new") == []
        assert {state.name: state.since for state in ScheduleState.objects.exclude(name="stays")} == {
            "changes": clock.now,
            "new": clock.now,
        }
        clock.forward(minutes=20)
        scheduler().tick()
        assert history("changes") == history("new") == [("10:30", "enqueued")]

    def test_an_entry_that_was_away_for_a_while_is_new(self, clock, timetable, scheduler) -> None:
        timetable(entry("stays"), entry("away"))
        scheduler().tick()
        timetable(entry("stays"))
        scheduler().tick()
        clock.forward(hours=2)
        timetable(entry("stays"), entry("away"))
        scheduler().tick()
        assert history("away") == []

    def test_another_policy_is_no_new_schedule(self, clock, timetable, scheduler) -> None:
        timetable(entry())
        scheduler().tick()
        clock.forward(hours=1)
        timetable(entry(catch_up="all"))
        scheduler().tick()
        assert history() == [("08:30", "enqueued"), ("09:00", "enqueued")]


class TestOverlap:
    @pytest.fixture
    def beat(self, timetable, scheduler):
        timetable(entry(overlap="skip", expires=3 * 3600))
        beat = scheduler()
        beat.tick()
        return beat

    def test_an_entry_is_not_fired_while_its_last_job_has_not_ended(self, beat, clock, queued) -> None:
        for _ in range(2):
            clock.forward(minutes=30)
            beat.tick()
        assert history() == [("08:30", "enqueued"), ("09:00", "skipped")]
        assert Firing.objects.get(outcome="skipped").why == "the job of 2026-11-23T08:30:00+00:00 has not ended"
        Firing.objects.filter(outcome="enqueued").update(ended_at=clock.now, outcome="succeeded")
        clock.forward(minutes=30)
        beat.tick()
        assert history()[-1] == ("09:30", "enqueued")
        assert len(queued()) == 2

    def test_a_job_that_never_started_counts_until_it_expires(self, beat, clock) -> None:
        for _ in range(7):
            clock.forward(minutes=30)
            beat.tick()
        assert [outcome for _, outcome in history()] == ["enqueued", *["skipped"] * 5, "enqueued"]

    def test_two_beats_do_not_overlap_each_other(self, beat, clock, scheduler) -> None:
        other = scheduler()
        clock.forward(minutes=30)
        other.tick()
        clock.forward(minutes=30)
        for one in (beat, other):
            one.tick()
        assert history() == [("08:30", "enqueued"), ("09:00", "skipped")]

    def test_by_default_they_may_overlap(self, timetable, scheduler, clock) -> None:
        timetable(entry())
        beat = scheduler()
        for _ in range(3):
            beat.tick()
            clock.forward(minutes=30)
        assert history() == [("08:30", "enqueued"), ("09:00", "enqueued")]

    def test_a_job_that_waits_under_the_same_key_is_skipped_with_that_job_named(
        self, timetable, scheduler, clock, queued
    ) -> None:
        timetable(entry(task="test.one_at_a_time"))
        beat = scheduler()
        beat.tick()
        for _ in range(2):
            clock.forward(minutes=30)
            beat.tick()
        assert history() == [("08:30", "enqueued"), ("09:00", "skipped")]
        (job,) = queued()
        assert Firing.objects.get(outcome="skipped").why == f"job {job['id']} with the same key waits or runs"


def test_plain_crontabs_and_intervals_are_fired_once_too(clock, timetable, scheduler, queued) -> None:
    from celery.schedules import crontab

    timetable(
        seconds={"task": "test.fired", "schedule": 90},
        cron={"task": "test.fired", "schedule": crontab(minute="*/2"), "options": {"priority": 0}},
    )
    beats = [scheduler(), scheduler()]
    for _ in range(7):
        for beat in beats:
            beat.tick()
        clock.forward(seconds=30)
    assert history("seconds") == [("08:01", "enqueued"), ("08:03", "enqueued")]
    assert history("cron") == [("08:02", "enqueued")]
    assert len(queued()) == 3


def test_apply_entry_fires_the_latest_instant_once(clock, timetable, scheduler, queued) -> None:
    timetable(entry())
    clock.forward(minutes=10)
    beat = scheduler()
    for _ in range(2):
        beat.apply_entry(beat.schedule["n"])
    assert history() == [("08:00", "enqueued")]
    assert len(queued()) == 1
