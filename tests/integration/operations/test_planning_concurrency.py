"""Generating occurrences beside other workers and people, and in processes that are killed."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction

from apps.operations import planning
from apps.operations.models import ChecklistItem, Job, JobNeed, Reminder
from apps.operations.services import plan_other_work

from ..threads import at_once, in_thread
from .company import HOUR, NOW

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).with_name("killed_planning.py")


def tours(company, number):
    return [company.tour("Gate", "Fence", checklist=["Signed"]) for _ in range(number)]


def assert_complete(jobs):
    """Two occurrences each, with two checkpoints, three lines and a reminder, and nothing else."""
    roots = JobNeed.objects.filter(parent=None)
    assert Counter(roots.values_list("job", flat=True)) == {job.pk: 2 for job in jobs}
    for root in roots:
        assert (root.checkpoints.count(), root.checklist.count(), root.reminders.count()) == (2, 1, 1)
    assert ChecklistItem.objects.count() == 3 * roots.count()
    assert Reminder.objects.count() == roots.count()
    assert set(Job.objects.filter(parent=None).values_list("last_generated_until", flat=True)) == {
        NOW + timedelta(days=2)
    }


def test_two_workers_at_once_make_each_occurrence_once(company, monkeypatch):
    monkeypatch.setattr(planning, "BATCH", 3)
    jobs = tours(company, 12)
    outcomes = []
    at_once(*(lambda: outcomes.append(plan_other_work(now=NOW)) for _ in range(2)))
    total = sum((outcome.counts for outcome in outcomes), Counter())
    assert (total["created"], total["checkpoints"], total["reminders"], total["failed"]) == (24, 48, 24, 0)
    plan_other_work(now=NOW)  # what both skipped, as the other one had it
    assert_complete(jobs)


def test_a_template_in_another_workers_hands_is_skipped_without_waiting(company):
    held, other = tours(company, 2)
    locked, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Job.objects.select_for_update().get(pk=held.pk)
            locked.set()
            done.wait(20)

    thread = in_thread(hold)
    assert locked.wait(20)
    first = plan_other_work(now=NOW)
    done.set()
    thread.join()
    assert (first.counts["templates"], first.counts["skipped"], first.counts["created"]) == (2, 1, 2)
    assert not held.occurrences.exists()
    assert plan_other_work(now=NOW).counts["created"] == 2
    assert_complete([held, other])


def test_a_line_that_is_ticked_while_its_template_is_replanned_keeps_the_occurrence(company):
    [job] = tours(company, 1)
    plan_other_work(now=NOW)
    Job.objects.filter(pk=job.pk).update(cron="0 10 * * *")
    root = job.occurrences.earliest("planned_at")
    locked, done, outcomes = threading.Event(), threading.Event(), []

    def tick():
        with transaction.atomic():
            JobNeed.objects.select_for_update().get(pk=root.pk)
            root.checklist.update(is_done=True)
            locked.set()
            done.wait(20)

    phone = in_thread(tick)
    assert locked.wait(20)
    planner = in_thread(lambda: outcomes.append(plan_other_work(now=NOW)))
    planner.join(0.3)
    assert planner.is_alive()  # it waits for the phone
    done.set()
    for thread in (phone, planner):
        thread.join(20)
    assert outcomes[0].counts["replaced"] == 1
    assert JobNeed.objects.filter(pk=root.pk).exists()


def test_an_occurrence_may_be_added_while_its_template_is_planned(company):
    [job] = tours(company, 1)
    with transaction.atomic():
        planning.lock_templates([job.pk])
        thread = in_thread(
            lambda: JobNeed.objects.create(
                job=job, site=job.site, assignee_person=company.guard, planned_at=NOW, expires_at=NOW + HOUR
            )
        )
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize(("point", "finished"), [("between", 4), ("inside", 2)])
def test_a_run_that_is_killed_leaves_whole_batches_and_the_next_one_makes_the_rest(company, point, finished):
    jobs = tours(company, 6)  # batches of two; it dies behind the second one, or in it, when all rows are written
    killed = plan_until_killed(point)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert JobNeed.objects.filter(parent=None).count() == 2 * finished
    assert Reminder.objects.count() == 2 * finished

    outcome = plan_other_work(now=NOW)

    assert outcome.counts["created"] == 2 * (len(jobs) - finished)
    assert_complete(jobs)


def plan_until_killed(point: str) -> "subprocess.CompletedProcess[str]":
    """Run the script on the test's own database."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return subprocess.run(
        [sys.executable, SCRIPT, point, NOW.isoformat()],
        env={**os.environ, "DATABASE_URL": database.geturl(), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
