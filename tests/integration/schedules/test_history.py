"""What a firing's row tells of its job, and what the table tells of the timetable."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from celery import current_app
from django.core.management import call_command
from django.utils import timezone

from apps.core import retention
from apps.core.models import Firing, ScheduleState
from apps.core.schedules import Entry, every, history, rows
from apps.core.schedules.fire import fire
from apps.core.schedules.plan import Plan, plan_of, plans_of
from intelliwiz_config.celery import app

from ..workers import eventually
from .conftest import MORNING, entry

pytestmark = pytest.mark.django_db(transaction=True)
Outcome = Firing.Outcome
MINUTE = timedelta(minutes=1)


@pytest.fixture
def fire_now(timetable) -> Callable[..., str]:
    """Fires a task as beat does, due a second ago; returns the job's id."""
    count = iter(range(100))

    def now(task: str, *args: Any, expires: float = 60, **options: Any) -> str:
        due = timezone.now() - timedelta(seconds=1, microseconds=next(count))
        timetable(entry(task=task, args=args, expires=expires, **options))
        job = fire(app, plans_of(app)["n"], due=due, now=timezone.now())
        assert job
        return job

    return now


def row_of(job: str) -> Firing:
    return Firing.objects.get(job=job)


@pytest.mark.slow
def test_the_row_follows_its_job_to_the_end(worker, on_this_database, fire_now, seen, queued) -> None:
    expired = fire_now("test.fired", expires=0.01)
    revoked = fire_now("test.fired")
    app.control.revoke(revoked)
    jobs = {
        "well": fire_now("test.fired", "child"),
        "badly": fire_now("test.fired_badly", "no good"),
        "rejected": fire_now("test.fired_badly", "reject"),
        "killed": fire_now("test.endless"),
        "at last": fire_now("test.passes_at_last"),
    }
    worker(
        "--include=tests.integration.schedules.jobs",
        "--queues=maintenance",
        "--concurrency=2",
        environment=on_this_database,
    )
    retrying = eventually(lambda: Firing.objects.filter(outcome=Outcome.RETRYING).first())
    assert (retrying.job, retrying.ended_at) == (jobs["at last"], None)
    assert retrying.started_at
    assert retrying.held_until > timezone.now() + timedelta(seconds=100)

    eventually(lambda: not Firing.objects.filter(ended_at=None).exists())
    ends = {name: (row_of(job).outcome, row_of(job).why) for name, job in jobs.items()}
    assert ends == {
        "well": ("succeeded", ""),
        "badly": ("failed", "ValueError"),
        "rejected": ("failed", "Reject"),
        "killed": ("failed", "TimeLimitExceeded"),
        "at last": ("succeeded", ""),
    }
    for job in jobs.values():
        row = row_of(job)
        assert row.due < row.enqueued_at <= row.started_at <= row.ended_at
    assert {row_of(expired).outcome, row_of(revoked).outcome} == {"expired", "revoked"}
    assert row_of(expired).started_at is row_of(revoked).started_at is None
    # The child of a firing's job is no firing, and has changed nobody's row.
    assert [line["firing"] for line in seen(6) if line.get("value") == "done"] == [None]
    assert Firing.objects.count() == len(jobs) + 2


@pytest.mark.slow
def test_jobs_run_while_the_database_is_away(worker, on_this_database, fire_now, seen) -> None:
    job = fire_now("test.fired", "alone")
    running = worker(
        "--include=tests.integration.schedules.jobs",
        "--queues=maintenance",
        "--concurrency=1",
        environment={**on_this_database, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere"},
    )
    assert seen(1)[0]["job"] == job
    eventually(lambda: [e for e in running.events() if e["event"] == "job.succeeded"])
    assert [e["outcome"] for e in running.events() if e["event"] == "firing.not_noted"][:1] == ["running"]
    running.kill()
    assert row_of(job).outcome == Outcome.ENQUEUED


def plan(**options: Any) -> Plan:
    made = Entry(**{"name": "n", "task": "test.fired", "when": every(minutes=30), "expires": 60, **options})
    from celery.beat import ScheduleEntry

    return plan_of(ScheduleEntry(**made.as_beat_entry(), name=made.name, app=current_app))


def firing(minutes: int, outcome: str, **fields: Any) -> Firing:
    return Firing.objects.create(entry="n", due=MORNING + minutes * MINUTE, outcome=outcome, **fields)


def test_what_never_ran_and_what_was_late() -> None:
    in_time = firing(0, Outcome.SUCCEEDED, started_at=MORNING + timedelta(seconds=30))
    late = firing(10, Outcome.SUCCEEDED, started_at=MORNING + 12 * MINUTE)
    waiting = firing(20, Outcome.ENQUEUED)
    missed = firing(30, Outcome.MISSED)
    expired = firing(40, Outcome.EXPIRED)
    firing(50, Outcome.SKIPPED)
    failed = firing(60, Outcome.FAILED, started_at=MORNING + 60 * MINUTE)
    since = MORNING - MINUTE
    assert set(history.never_ran(since)) == {missed, expired}
    assert set(history.never_ran(missed.due)) == {expired}
    assert set(history.late(since, MORNING + 70 * MINUTE)) == {late, waiting}
    assert set(history.late(since, MORNING + 20 * MINUTE)) == {late}
    assert {in_time, failed}.isdisjoint(history.late(since, MORNING + 70 * MINUTE))


def test_a_firing_by_hand_that_has_succeeded_makes_up_for_those_before_it() -> None:
    since = MORNING - MINUTE
    missed, later = firing(30, Outcome.MISSED), firing(50, Outcome.MISSED)
    other = Firing.objects.create(entry="other", due=missed.due, outcome=Outcome.MISSED)
    by_hand = firing(40, Outcome.FAILED, manual=True, started_at=MORNING + 40 * MINUTE)
    assert set(history.never_ran(since)) == {missed, later, other}
    Firing.objects.filter(pk=by_hand.pk).update(outcome=Outcome.SUCCEEDED)
    assert set(history.never_ran(since)) == {later, other}


def test_an_instant_that_no_beat_has_seen_to_is_overdue() -> None:
    plans = [plan(), plan(name="other", when=every(minutes=60)), plan(name="unknown")]
    rows.remember({"n": "x", "other": "y"}, MORNING)
    assert history.overdue(plans, MORNING + 30 * MINUTE) == {}
    assert history.overdue(plans, MORNING + 32 * MINUTE) == {"n": MORNING + 30 * MINUTE}
    rows.settle("n", MORNING + 30 * MINUTE)
    assert history.overdue(plans, MORNING + 32 * MINUTE) == {}


def test_old_firings_are_removed_a_portion_at_a_time(monkeypatch, settings) -> None:
    monkeypatch.setattr(retention, "PORTION", 2)
    settings.BGJOBS = settings.BGJOBS | {"firings_kept_days": 1}
    now = timezone.now()
    for hours in (25, 26, 27, 28, 29):
        Firing.objects.create(entry="n", due=now - timedelta(hours=hours), outcome=Outcome.MISSED)
    kept = Firing.objects.create(entry="n", due=now - timedelta(hours=23), outcome=Outcome.MISSED)
    assert current_app.tasks["cleanup_firings"].run() == 5
    assert list(Firing.objects.all()) == [kept]


def status() -> dict[str, Any]:
    output = StringIO()
    call_command("jobs", "status", "--format=json", stdout=output)
    found: dict[str, Any] = json.loads(output.getvalue())
    return found


def test_the_status_tells_what_is_overdue_late_or_never_ran(timetable) -> None:
    timetable(entry(), entry("other"))
    now = timezone.now()
    rows.remember({"n": "x", "other": "y"}, now)
    found = status()["schedules"]
    assert (found["overdue"], found["missed"], found["late"]) == ([], [], [])
    ScheduleState.objects.filter(name="n").update(settled=now - timedelta(hours=3))
    for hours in (1, 2, 30):
        Firing.objects.create(entry="n", due=now - timedelta(hours=hours), outcome=Outcome.MISSED)
    Firing.objects.create(entry="other", due=now - timedelta(hours=1), outcome=Outcome.ENQUEUED)
    found = status()
    assert [one["entry"] for one in found["schedules"]["overdue"]] == ["n"]
    assert found["schedules"]["missed"] == [{"entry": "n", "count": 2}]
    assert found["schedules"]["late"] == [{"entry": "other", "count": 1}]
    by_code = {problem["code"]: problem for problem in found["problems"]}
    assert by_code["beat_silent"]["severity"] == "critical"
    assert by_code["beat_silent"]["message"].startswith("n was due at ")
    assert by_code["firings_lost"]["message"].endswith("never ran: n 2")
    assert by_code["firings_late"]["message"].endswith("or have not: other 1")
