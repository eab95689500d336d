"""Reports of work done, in time and late."""

from datetime import datetime, timedelta

import pytest

from apps.operations.models import JobNeed
from apps.operations.services import (
    IllegalTransition,
    Performance,
    PerformedTooLateError,
    record_performance,
)

from .company import HOUR, NOW

pytestmark = pytest.mark.django_db
Status = JobNeed.Status
IN_TIME = NOW - 2 * HOUR  # occurrences expire an hour before NOW


@pytest.mark.parametrize("status", ["ASSIGNED", "IN_PROGRESS"])
def test_open_work_is_completed(company, status):
    root = company.occurrence(status=status)
    assert record_performance(root.pk, IN_TIME) == Performance.RECORDED
    root.refresh_from_db()
    assert (root.status, root.performed_at) == (Status.COMPLETED, IN_TIME)


def test_a_late_sync_reopens_what_the_system_closed_and_says_so(company, run_sweep, caplog):
    root = company.occurrence()
    run_sweep()
    assert record_performance(root.pk, IN_TIME) == Performance.REOPENED
    root.refresh_from_db()
    assert (root.status, root.performed_at, root.closed_by_server) == (Status.COMPLETED, IN_TIME, False)
    assert "jobneed.reopened" in caplog.text


def test_a_checkpoint_is_reopened_by_itself(company, run_sweep):
    root = company.occurrence(status="IN_PROGRESS", checkpoints=["ASSIGNED", "COMPLETED"])
    run_sweep()
    checkpoint = root.checkpoints.order_by("pk")[0]
    assert record_performance(checkpoint.pk, IN_TIME) == Performance.REOPENED
    root.refresh_from_db()
    assert root.status == Status.PARTIALLY_COMPLETED


@pytest.mark.parametrize("late", [timedelta(), timedelta(seconds=1), timedelta(days=2)])
@pytest.mark.parametrize("status", ["ASSIGNED", "AUTO_CLOSED"])
def test_work_done_at_its_expiry_or_later_is_refused(company, status, late):
    root = company.occurrence(status=status)
    with pytest.raises(PerformedTooLateError, match=str(root.pk)):
        record_performance(root.pk, root.expires_at + late)
    root.refresh_from_db()
    assert (root.status, root.performed_at) == (status, None)


def test_the_same_report_twice_changes_nothing(company):
    root = company.occurrence()
    record_performance(root.pk, IN_TIME)
    assert record_performance(root.pk, IN_TIME) == Performance.KNOWN


@pytest.mark.parametrize("status", ["COMPLETED", "PARTIALLY_COMPLETED"])
def test_what_is_final_is_an_error(company, status):
    root = company.occurrence(status=status)
    with pytest.raises(IllegalTransition):
        record_performance(root.pk, IN_TIME)


def test_an_unknown_occurrence_is_an_error(db):
    with pytest.raises(JobNeed.DoesNotExist):
        record_performance(1, IN_TIME)


def test_a_time_without_a_zone_is_an_error(company):
    with pytest.raises(ValueError, match="time zone"):
        record_performance(company.occurrence().pk, datetime(2026, 11, 23, 10))  # noqa: DTZ001 - that is the point
