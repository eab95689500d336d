"""run_report_now: a report beside its schedule, about the time since the last one."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied

from apps.core import context
from apps.reports import files, services
from apps.reports.models import GeneratedReport, ReportSchedule
from apps.reports.tasks import create_scheduled_reports, run_report_now

from .firm import DAY, HOUR, MIDNIGHT, MINUTE, NOW, Firm

pytestmark = pytest.mark.django_db

Status = GeneratedReport.Status
SINCE = {"since": MIDNIGHT.isoformat(), "until": (NOW + HOUR).isoformat()}


@pytest.fixture
def manager(firm):
    """A user of the firm who may ask for reports."""
    user = User.objects.create_user("manager")
    firm.owner.user = user
    firm.owner.save()
    user.user_permissions.add(Permission.objects.get(codename="run_reportschedule"))
    return User.objects.get(pk=user.pk)


def test_it_is_declared_as_the_operators_know_it():
    assert (run_report_now.name, run_report_now.queue_name, run_report_now.repeatable) == (
        "run_report_now",
        "reports",
        True,
    )


def test_it_is_ready_at_once_and_the_schedule_stays_as_it_is(firm, time_machine):
    time_machine.move_to(NOW + 2 * HOUR, tick=False)
    schedule = firm.schedule()
    create_scheduled_reports(now_iso=NOW.isoformat())
    before = ReportSchedule.objects.values().get()
    firm.occurrence(firm.job(), MIDNIGHT + MINUTE)
    result = run_report_now(schedule.pk, **SINCE)
    report = schedule.reports.get(pk=result["report"])
    assert result == {"report": report.pk, "status": Status.READY, "rows": 1, "reason": ""}
    assert (report.window_from, report.window_until) == (MIDNIGHT, NOW + HOUR)
    assert report.send_at == NOW + 2 * HOUR
    assert files.path_of(report).exists()
    assert ReportSchedule.objects.values().get() == before


def test_run_twice_it_is_the_same_report(firm, reports_root):
    schedule = firm.schedule()
    assert run_report_now(schedule.pk, **SINCE) == run_report_now(schedule.pk, **SINCE)
    assert schedule.reports.count() == len(list(reports_root.rglob("*.json"))) == 1


def test_without_a_window_it_is_about_the_time_from_the_last_one_until_it_was_enqueued(firm, time_machine):
    time_machine.move_to(NOW + HOUR, tick=False)
    schedule = firm.schedule()
    enqueued = {context.FIRST_READY_AT_HEADER: (NOW + MINUTE).timestamp()}
    for last_window_end, expected in ((None, MIDNIGHT), (MIDNIGHT - DAY, MIDNIGHT - DAY)):
        ReportSchedule.objects.filter(pk=schedule.pk).update(last_window_end=last_window_end)
        for _ in range(2):  # a second delivery
            result = run_report_now.apply(args=(schedule.pk,), headers=enqueued).get()
            report = schedule.reports.get(pk=result["report"])
            assert (report.window_from, report.window_until) == (expected, NOW + MINUTE)
    assert schedule.reports.count() == 2


def test_what_cannot_be_made_says_why_and_costs_the_schedule_nothing(firm):
    schedule = firm.schedule(parameters={"colour": "red"})
    result = run_report_now(schedule.pk, **SINCE)
    assert (result["status"], result["rows"]) == (Status.FAILED, 0)
    assert "no parameter 'colour'" in result["reason"] == schedule.reports.get().reason
    schedule.refresh_from_db()
    assert (schedule.failures, schedule.enabled) == (0, True)


def test_a_tenant_that_is_not_active_gets_none(firm):
    schedule = firm.schedule()
    firm.tenant.is_active = False
    firm.tenant.save()
    with pytest.raises(ReportSchedule.DoesNotExist):
        run_report_now(schedule.pk, **SINCE)


@pytest.mark.django_db(transaction=True)
def test_who_may_asks_for_it_and_the_window_is_fixed_then(firm, manager, queued):
    schedule = firm.schedule(last_window_end=MIDNIGHT, enabled=False)
    assert services.run_now(schedule.pk, manager, now=NOW)
    [message] = queued("reports")
    assert message == {
        "task": "run_report_now",
        "tenant": str(firm.tenant.pk),
        "since": MIDNIGHT.isoformat(),
        "until": NOW.isoformat(),
    }
    assert json.dumps(message)


def test_nobody_asks_for_anothers_report(firm, manager):
    with pytest.raises(ReportSchedule.DoesNotExist):
        services.run_now(Firm("other").schedule().pk, manager, now=NOW)
    with pytest.raises(PermissionDenied):
        services.run_now(firm.schedule().pk, User.objects.create_user("someone"), now=NOW)
