"""create_scheduled_reports beside other workers, and beside people who write what it reads."""

import threading
from collections import Counter

import pytest
from django.db import transaction

from apps.reports import files, making, services
from apps.reports.models import GeneratedReport, ReportSchedule
from apps.reports.windows import Window

from ..threads import in_thread
from .firm import DAY, HOUR, MIDNIGHT, MINUTE, NOW

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_workers_at_once_make_each_report_once(firm, reports_root):
    schedules = [firm.schedule(next_run_at=MIDNIGHT - DAY) for _ in range(12)]
    together = threading.Barrier(2)
    outcomes = []

    def work():
        together.wait()
        outcomes.append(services.make_due(now=NOW, tell=pytest.fail))

    for thread in [in_thread(work), in_thread(work)]:
        thread.join()
    counts = sum((outcome.counts for outcome in outcomes), Counter())
    # Whoever found a schedule in the other's hands went on, so that its second window may be left to the next firing.
    rest = services.make_due(now=NOW, tell=pytest.fail)
    assert counts["generated"] + rest.counts["generated"] == GeneratedReport.objects.count() == 2 * len(schedules)
    assert counts["failed"] + rest.counts["failed"] == 0
    named = set(GeneratedReport.objects.values_list("file", flat=True))
    assert {path.relative_to(reports_root).as_posix() for path in reports_root.rglob("*.*")} == named
    assert set(ReportSchedule.objects.values_list("next_run_at", flat=True)) == {MIDNIGHT + DAY}


def test_a_schedule_in_another_workers_hands_is_left_to_it_without_waiting(firm):
    held, free = firm.schedule(), firm.schedule()
    locked, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            ReportSchedule.objects.select_for_update().get(pk=held.pk)
            locked.set()
            done.wait(20)

    thread = in_thread(hold)
    assert locked.wait(20)
    outcome = services.make_due(now=NOW, tell=pytest.fail)
    done.set()
    thread.join()
    assert outcome.counts == {"generated": 1, "windows": 1}
    assert (held.reports.count(), free.reports.count()) == (0, 1)
    assert services.make_due(now=NOW, tell=pytest.fail).counts == {"generated": 1, "windows": 1}


def test_a_schedule_that_another_worker_has_just_moved_on_is_left_alone(firm, monkeypatch):
    schedule = firm.schedule()
    scope = making.snapshot

    def snapshot_and_then_be_overtaken():
        context = scope()

        class Overtaken:
            def __enter__(self):
                context.__enter__()
                ReportSchedule.objects.exists()  # the snapshot is taken
                thread = in_thread(lambda: ReportSchedule.objects.update(next_run_at=MIDNIGHT + DAY))
                thread.join(20)

            def __exit__(self, *error):
                return context.__exit__(*error)

        return Overtaken()

    monkeypatch.setattr("apps.reports.due.snapshot", snapshot_and_then_be_overtaken)
    outcome = services.make_due(now=NOW, tell=pytest.fail)
    assert (outcome.counts, outcome.failed) == ({}, [])
    assert not schedule.reports.exists()


def test_rows_that_come_while_a_report_is_made_are_not_half_in_it(firm, monkeypatch):
    job = firm.job(name="Check")
    firm.occurrence(job, MIDNIGHT - HOUR)
    schedule = firm.schedule(format="CSV")
    render = making.render

    def render_after_another_row(*arguments, **options):
        in_thread(lambda: firm.occurrence(job, MIDNIGHT - 2 * HOUR)).join(20)
        render(*arguments, **options)

    monkeypatch.setattr(making, "render", render_after_another_row)
    assert services.make_due(now=NOW, tell=pytest.fail).counts["generated"] == 1
    assert ",Check,MEDIUM,1,0,0,0,1," in files.path_of(schedule.reports.get()).read_text()


def test_people_can_ask_for_a_report_while_the_scheduled_one_is_made(firm, monkeypatch):
    schedule = firm.schedule()
    render = making.render
    asked, made = [], []

    def render_beside_another(*arguments, **options):
        if not asked:
            asked.append(True)
            window = Window(start=MIDNIGHT, end=NOW)
            in_thread(lambda: made.append(services.make_now(schedule.pk, window, now=NOW))).join(20)
            assert made  # it did not have to wait
        render(*arguments, **options)

    monkeypatch.setattr(making, "render", render_beside_another)
    assert services.make_due(now=NOW, tell=pytest.fail).counts["generated"] == 1
    assert schedule.reports.count() == 2


def test_a_job_that_is_delivered_twice_at_once_makes_one_report(firm):
    schedule = firm.schedule()
    window = Window(start=MIDNIGHT, end=MIDNIGHT + MINUTE)
    together = threading.Barrier(2)
    reports = []

    def work():
        together.wait()
        reports.append(services.make_now(schedule.pk, window, now=NOW).pk)

    for thread in [in_thread(work), in_thread(work)]:
        thread.join()
    assert len(reports) == 2
    assert set(reports) == {schedule.reports.get().pk}
