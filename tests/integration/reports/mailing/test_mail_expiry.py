"""Reports that could not be mailed in time."""

import pytest

from apps.core.models import OutboxMessage
from apps.organization.models import Person, Tenant
from apps.reports import expiry

from .agency import HOUR, MINUTE, NOW, Agency, reason, statuses

pytestmark = pytest.mark.django_db
LATE = NOW - 12 * HOUR - MINUTE


def test_a_report_over_twelve_hours_late_expires_and_one_at_twelve_hours_is_mailed(
    agency, mail_server, mail_due, caplog
) -> None:
    late, just = agency.report(send_at=LATE), agency.report(send_at=NOW - 12 * HOUR)
    assert mail_due() == {"expired": 1, "found": 1, "sent": 1, "mails": 1}
    assert statuses(late, just) == ["EXPIRED", "SENT"]
    assert reason(late) == "It could not be mailed within 12 hours."
    assert [record.levelname for record in caplog.records if "report.expired" in str(record.msg)] == ["ERROR"]


def test_one_mail_tells_each_tenants_admins_and_owners(agency, mail_server, mail_due, run_jobs) -> None:
    other = Agency("other")
    schedule = agency.schedule(owner=agency.reader)
    agency.report(schedule, send_at=LATE)
    agency.report(send_at=LATE)
    other.report(send_at=LATE)
    agency.person("gone", is_tenant_admin=True, is_active=False)
    assert mail_due() == {"expired": 3}
    assert [job.get() for job in run_jobs()] == [{"recipients": 2}, {"recipients": 1}]
    first, second = mail_server.received
    assert sorted(first.recipients) == ["ada@acme.example", "rita@acme.example"]
    assert second.recipients == ("ada@other.example",)
    assert first.message["Subject"] == "2 reports were not mailed in time"
    assert first.text.count("Daily tickets: Sun 22 Nov 2026 (Asia/Kolkata)") == 2
    assert second.message["Subject"] == "A report was not mailed in time"


def test_it_is_told_once_however_often_the_job_is_run(agency, mail_server, mail_due, run_jobs) -> None:
    agency.report(send_at=LATE)
    assert mail_due() == {"expired": 1}
    assert mail_due(NOW + HOUR) == {}
    assert len(run_jobs()) == 1
    assert len(mail_server.received) == 1


def test_without_anybody_to_tell_it_expires_all_the_same(agency, mail_server, mail_due, run_jobs, caplog) -> None:
    report = agency.report(send_at=LATE)
    Person.objects.update(email="")
    assert mail_due() == {"expired": 1}
    assert [job.get() for job in run_jobs()] == [{"recipients": 0}]
    assert statuses(report) == ["EXPIRED"]
    assert "report.nobody_to_tell" in caplog.text


def test_a_claim_that_became_void_too_late_expires(agency, mail_server, mail_due) -> None:
    report = agency.report(send_at=LATE, status="SENDING", sending_since=NOW - HOUR)
    assert mail_due() == {"reclaimed": 1, "expired": 1}
    assert statuses(report) == ["EXPIRED"]


def test_an_inactive_tenants_reports_do_not_expire_meanwhile(agency, mail_server, mail_due) -> None:
    report = agency.report(send_at=LATE)
    Tenant.objects.update(is_active=False)
    assert mail_due() == {}
    assert statuses(report) == ["READY"]


def test_the_status_and_the_job_that_tells_of_it_stand_or_fall_together(agency, mail_server, monkeypatch) -> None:
    reports = [agency.report(send_at=LATE) for _ in range(3)]
    monkeypatch.setattr(expiry, "BATCH", 2)
    told = []

    def tell(tenant_id: int, ids: list[int]) -> None:
        told.append(ids)
        if len(told) == 2:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        expiry.expire(now=NOW, tell=tell)
    assert statuses(*reports) == ["EXPIRED", "EXPIRED", "READY"]
    assert not OutboxMessage.objects.exists()
    assert expiry.expire(now=NOW, tell=lambda *_: None) == 1
