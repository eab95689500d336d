"""Which reports are mailed, once, and what their rows say then."""

import pytest

from apps.core.mail import OutgoingMail
from apps.organization.models import Tenant
from apps.reports import mailing
from apps.reports.models import GeneratedReport

from .agency import CONTENT, DAY, HOUR, MINUTE, NOW, Agency, reason, statuses

pytestmark = pytest.mark.django_db


def test_a_report_that_is_due_goes_to_its_recipients_with_its_file(agency, mail_server, mail_due) -> None:
    schedule = agency.schedule(to=["rita@acme.example"], cc=["ada@acme.example", "gate@acme.example"])
    report = agency.report(schedule)
    assert mail_due() == {"found": 1, "sent": 1, "mails": 1}
    (mail,) = mail_server.received
    assert sorted(mail.recipients) == ["ada@acme.example", "gate@acme.example", "rita@acme.example"]
    assert mail.message["To"] == "rita@acme.example"
    assert mail.message["Cc"] == "ada@acme.example, gate@acme.example"
    assert mail.message["Subject"] == "Daily tickets: Sun 22 Nov 2026 (Asia/Kolkata)"
    assert mail.attachments == {f"ticket-list-2026-11-22-{report.pk}.csv": CONTENT}
    report.refresh_from_db()
    assert (report.status, report.sent_at, report.sending_since) == ("SENT", NOW, None)
    assert sorted(report.delivered_to) == sorted(mail.recipients)


@pytest.mark.parametrize("content", [b"a\nb\r\nc\rd\n", b"\xef\xbb\xbf\x00\xff" * 9, b"", b".\r\n.\r\nx" * 50])
@pytest.mark.parametrize("format_", ["CSV", "HTML", "JSON", "PDF"])
def test_a_file_arrives_byte_for_byte(agency, mail_server, mail_due, content, format_) -> None:
    agency.report(agency.schedule(format=format_), content=content)
    assert mail_due()["sent"] == 1
    assert list(mail_server.received[0].attachments.values()) == [content]


def test_what_is_not_due_or_not_ready_or_of_an_inactive_tenant_is_left_alone(agency, mail_server, mail_due) -> None:
    agency.report(send_at=NOW + MINUTE)
    for status in ("SENT", "FAILED", "EXPIRED"):
        agency.report(status=status)
    agency.report(status="SENDING", sending_since=NOW)
    left = Agency("left")
    late = left.report(send_at=NOW - DAY)
    left.report()
    Tenant.objects.filter(pk=left.tenant.pk).update(is_active=False)
    assert mail_due() == {}
    assert mail_server.connections == 0
    assert statuses(late) == ["READY"]


def test_a_report_is_due_at_the_very_instant_it_is_set_for(agency, mail_server, mail_due) -> None:
    agency.report(send_at=NOW)
    assert mail_due()["sent"] == 1


def test_a_second_run_mails_nothing(agency, mail_server, mail_due) -> None:
    agency.reports(3)
    assert mail_due()["sent"] == 3
    assert mail_due(NOW + MINUTE) == {}
    assert len({mail.id for mail in mail_server.received}) == len(mail_server.received) == 3


def test_a_claim_is_void_after_a_quarter_of_an_hour_and_not_before(agency, mail_server, mail_due) -> None:
    report = agency.report(status="SENDING", sending_since=NOW)
    assert mail_due(NOW + 15 * MINUTE) == {}
    assert mail_due(NOW + 15 * MINUTE, clock=lambda: NOW + 15.1 * MINUTE) == {
        "reclaimed": 1,
        "found": 1,
        "sent": 1,
        "mails": 1,
    }
    assert statuses(report) == ["SENT"]


def test_a_late_run_claims_by_the_present_and_not_by_its_firing(agency, mail_server, mail_due) -> None:
    """Else the next run would take its claims for old ones while it works."""
    report = agency.report()
    present = NOW + 24 * MINUTE
    seen = []

    mail_due(NOW, clock=lambda: present, meanwhile=lambda _: seen.extend(row_of(report)))
    assert seen == ["SENDING", present]


def test_who_has_lost_the_claim_marks_nothing(agency, mail_server, mail_due) -> None:
    lost, other = agency.reports(2)
    retaken = NOW + 16 * MINUTE

    def take_away(mail: OutgoingMail) -> None:
        if f"-{lost.pk}.csv" in mail.attachments[0].name:  # the claim has become void, and another run has its own
            GeneratedReport.objects.filter(pk=lost.pk).update(sending_since=retaken)

    assert mail_due(meanwhile=take_away) == {"found": 2, "lost": 1, "sent": 1, "mails": 1}
    assert row_of(lost) == ["SENDING", retaken]
    assert GeneratedReport.objects.get(pk=lost.pk).delivered_to == []
    assert statuses(other) == ["SENT"]


def row_of(report: GeneratedReport) -> list[object]:
    """Status and claim."""
    return list(GeneratedReport.objects.values_list("status", "sending_since").get(pk=report.pk))


def test_a_run_out_of_time_names_where_to_go_on(agency, mail_server, mail_due) -> None:
    reports = agency.reports(3)
    assert mail_due(budget_seconds=0) == {"found": 1, "sent": 1, "mails": 1, "resume_after": reports[0].pk}
    assert mail_due(after=reports[0].pk) == {"found": 2, "sent": 2, "mails": 2}


def test_more_reports_than_one_query_names_are_all_mailed(agency, mail_server, mail_due, monkeypatch) -> None:
    monkeypatch.setattr(mailing, "BATCH", 2)
    agency.reports(5)
    assert mail_due()["sent"] == 5


def test_an_empty_report_says_so(agency, mail_server, mail_due) -> None:
    agency.report(rows=0)
    mail_due()
    assert "Rows: 0, the report is empty" in mail_server.received[0].text


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda path: path.unlink(), "Its file is missing."),
        (lambda path: path.write_bytes(CONTENT + b"x"), f"Its file has {len(CONTENT) + 1} bytes"),
        (lambda path: path.write_bytes(CONTENT[::-1]), "the SHA-256 differs"),
        (lambda path: (path.unlink(), path.mkdir()), "Its file is missing."),
        (lambda path: (path.rename(path.with_name("x")), path.symlink_to(path.with_name("x"))), "not where reports"),
    ],
)
def test_a_file_that_is_not_the_one_made_fails_and_the_others_are_mailed(
    agency, mail_server, mail_due, reports_root, spoil, why
) -> None:
    bad, good = agency.reports(2)
    spoil(reports_root / bad.file)
    assert mail_due() == {"found": 2, "failed": 1, "sent": 1, "mails": 1}
    assert statuses(bad, good) == ["FAILED", "SENT"]
    assert why in reason(bad)


def test_a_path_that_leads_elsewhere_fails(agency, mail_server, mail_due, reports_root) -> None:
    other = Agency("other").report(send_at=NOW + HOUR)
    for file in ("../secret", "/etc/passwd", other.file, "", f"{agency.tenant.pk}/../{other.file}"):
        report = agency.report()
        GeneratedReport.objects.filter(pk=report.pk).update(file=file)
    assert mail_due() == {"found": 5, "failed": 5}
    assert mail_server.received == []
