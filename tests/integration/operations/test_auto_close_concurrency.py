"""auto_close beside other writers: workers, phones and planners."""

import threading
from collections import Counter

import pytest
from django.db import transaction

from apps.helpdesk.models import Ticket
from apps.operations import auto_close as module
from apps.operations.models import JobNeed
from apps.operations.services import record_performance

from ..threads import in_thread
from .company import HOUR, NOW

pytestmark = pytest.mark.django_db(transaction=True)
Status = JobNeed.Status


def test_two_workers_at_once_close_each_occurrence_once(company, run_sweep):
    rows = company.occurrences(60, on_expiry="RAISE_TICKET")
    together = threading.Barrier(2)
    sweeps = []

    def work():
        together.wait()
        sweeps.append(run_sweep())

    for thread in [in_thread(work), in_thread(work)]:
        thread.join()
    total = sum((sweep.outcome.counts for sweep in sweeps), Counter())
    assert total["closed"] == total["tickets"] == total["mails"] == Ticket.objects.count() == len(rows)
    assert total["failed"] == 0
    assert total["found"] == total["closed"] + total["skipped"]
    assert sorted(n.jobneed_id for sweep in sweeps for n in sweep.notices) == [row.pk for row in rows]


def test_a_row_in_another_workers_hands_is_skipped_without_waiting(company, run_sweep):
    held, _ = company.occurrences(2)
    locked, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            JobNeed.objects.select_for_update().get(pk=held.pk)
            locked.set()
            done.wait(20)

    thread = in_thread(hold)
    assert locked.wait(20)
    sweep = run_sweep()
    done.set()
    thread.join()
    assert sweep.counts == {"found": 2, "skipped": 1, "closed": 1}
    assert JobNeed.objects.get(pk=held.pk).status == Status.ASSIGNED
    assert run_sweep().counts == {"found": 1, "closed": 1}


def between_selection_and_lock(monkeypatch, change):
    """Do `change` right after the sweep has selected its rows."""
    select = module.overdue_ids

    def select_then_change(*args):
        rows = select(*args)
        if rows:
            change()
        return rows

    monkeypatch.setattr(module, "overdue_ids", select_then_change)


def test_an_expiry_moved_forward_after_the_selection_is_respected(company, run_sweep, monkeypatch):
    root = company.occurrence(on_expiry="RAISE_TICKET")
    between_selection_and_lock(monkeypatch, lambda: JobNeed.objects.filter(pk=root.pk).update(expires_at=NOW + HOUR))
    sweep = run_sweep()
    assert sweep.counts == {"found": 1, "skipped": 1}
    assert sweep.notices == []
    assert not Ticket.objects.exists()
    root.refresh_from_db()
    assert root.status == Status.ASSIGNED


def test_work_completed_after_the_selection_stays_completed(company, run_sweep, monkeypatch):
    root = company.occurrence(on_expiry="NOTIFY")
    between_selection_and_lock(monkeypatch, lambda: record_performance(root.pk, NOW - 2 * HOUR))
    assert run_sweep().counts == {"found": 1, "skipped": 1}
    root.refresh_from_db()
    assert (root.status, root.closed_by_server) == (Status.COMPLETED, False)


def test_an_occurrence_deleted_after_the_selection_is_skipped(company, run_sweep, monkeypatch):
    root = company.occurrence()
    between_selection_and_lock(monkeypatch, lambda: root.delete())
    assert run_sweep().counts == {"found": 1, "skipped": 1}


def test_a_checkpoint_reported_while_its_tour_is_closed_is_not_overwritten(company, run_sweep, monkeypatch):
    root = company.occurrence(status="IN_PROGRESS", checkpoints=["ASSIGNED", "COMPLETED"])
    reported = root.checkpoints.order_by("pk")[0]
    phone = []

    def decide_while_a_phone_reports(*facts):
        # The phone waits for the root's lock, so its report comes after the close, and reopens the checkpoint.
        phone.append(in_thread(lambda: record_performance(reported.pk, NOW - 90 * HOUR / 60)))
        phone[0].join(0.3)
        assert phone[0].is_alive()
        return outcome_of(*facts)

    outcome_of = module.outcome_of
    monkeypatch.setattr(module, "outcome_of", decide_while_a_phone_reports)
    assert run_sweep().counts == {"found": 1, "partially": 1}
    phone[0].join(20)
    reported.refresh_from_db()
    assert (reported.status, reported.closed_by_server) == (Status.COMPLETED, False)
