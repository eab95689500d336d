"""The mail about work that was not done in time."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.operations.models import JobNeed
from apps.operations.services import job_expiry_mail
from apps.organization.models import Person

from .company import HOUR, NOW, Company

pytestmark = pytest.mark.django_db


def mail_about(root, **changes):
    facts = {"closed_at": NOW, "ticket_number": None, "escalates_at": None, **changes}
    return job_expiry_mail(root.pk, **facts)


def test_it_says_what_was_missed_where_and_when(company):
    root = company.occurrence(status="AUTO_CLOSED", name="Check the pump")
    mail = mail_about(root)
    assert mail.subject == "Not done in time: Check the pump at North gate"
    assert mail.body == (
        "Not done in time, so it has been closed.\n"
        "\n"
        "Job: Check the pump\n"
        "Site: S1 North gate\n"
        "Asset: P1 Pump\n"
        "Assigned to: Gus\n"
        "Planned: Mon 23 Nov 2026 15:30 (Asia/Kolkata)\n"
        "Expired: Mon 23 Nov 2026 16:30 (Asia/Kolkata)\n"
    )


def test_a_part_that_was_done_is_named(company):
    root = company.occurrence(status="PARTIALLY_COMPLETED", checkpoints=["COMPLETED", "AUTO_CLOSED", "AUTO_CLOSED"])
    mail = mail_about(root)
    assert mail.subject.startswith("Only partly done in time: ")
    assert "Checkpoints: 1 of 3 completed" in mail.body


def test_it_names_the_ticket_and_its_next_escalation(company):
    root = company.occurrence(status="AUTO_CLOSED")
    mail = mail_about(root, ticket_number="T-000042", escalates_at=NOW + timedelta(hours=4, minutes=30))
    assert "Ticket: T-000042\n" in mail.body
    assert (
        "Next escalation: Mon 23 Nov 2026 22:00 (Asia/Kolkata), 4 hours, 30 minutes after the ticket was raised\n"
        in mail.body
    )


def test_a_ticket_that_no_rule_escalates_says_so(company):
    root = company.occurrence(status="AUTO_CLOSED")
    assert "Next escalation: none\n" in mail_about(root, ticket_number="T-000042").body


def test_it_goes_to_the_site_and_the_active_admins_each_once(company):
    company.site.in_charge = ["Site@acme.example", "nonsense", "ADMIN@acme.example", "site@acme.example"]
    company.site.save()
    for name, is_active in (("Bea", True), ("Cy", False)):
        Person.objects.create(
            tenant=company.tenant, name=name, email=f"{name}@acme.example", is_tenant_admin=True, is_active=is_active
        )
    Person.objects.create(tenant=company.tenant, name="No address", is_tenant_admin=True)
    Company("other")
    recipients = {address.lower() for address in mail_about(company.occurrence(status="AUTO_CLOSED")).to}
    assert recipients == {"site@acme.example", "admin@acme.example", "bea@acme.example"}
    assert len(mail_about(JobNeed.objects.get()).to) == 3


def test_its_message_id_is_the_occurrences_own(company):
    one, other = (company.occurrence(status="AUTO_CLOSED") for _ in range(2))
    again = mail_about(one, ticket_number="T-000001", closed_at=NOW + HOUR)
    assert mail_about(one).message_id == again.message_id
    assert mail_about(one).message_id != mail_about(other).message_id


def test_nobody_is_told_of_work_that_was_reported_meanwhile(company):
    assert mail_about(company.occurrence(status="COMPLETED")) is None


def test_there_is_no_mail_without_anybody_to_tell(company):
    company.site.in_charge = []
    company.site.save()
    company.admin.delete()
    assert mail_about(company.occurrence(status="AUTO_CLOSED")) is None


def test_a_line_break_in_a_name_does_not_reach_the_subject(company):
    root = company.occurrence(status="AUTO_CLOSED", name="Patrol\r\nBcc: everybody@acme.example")
    assert mail_about(root).subject == "Not done in time: Patrol Bcc: everybody@acme.example at North gate"


@pytest.mark.parametrize(
    ("zone", "planned_at", "planned", "expired"),
    [
        pytest.param(
            "America/New_York",
            datetime(2026, 3, 8, 6, 30, tzinfo=UTC),
            "Sun 08 Mar 2026 01:30 (America/New_York)",
            "Sun 08 Mar 2026 03:30 (America/New_York)",
            id="an hour after half past one is half past three when clocks go forward",
        ),
        pytest.param(
            "America/New_York",
            datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
            "Sun 01 Nov 2026 01:30 (America/New_York)",
            "Sun 01 Nov 2026 01:30 (America/New_York)",
            id="an hour after half past one is half past one when clocks go back",
        ),
        pytest.param(
            "Europe/London",
            datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
            "Sun 29 Mar 2026 00:30 (Europe/London)",
            "Sun 29 Mar 2026 02:30 (Europe/London)",
            id="London too",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            datetime(2026, 10, 3, 15, 0, tzinfo=UTC),
            "Sun 04 Oct 2026 01:30 (Australia/Lord_Howe)",
            "Sun 04 Oct 2026 03:00 (Australia/Lord_Howe)",
            id="by half an hour where that is the change",
        ),
        pytest.param(
            "Asia/Kolkata",
            datetime(2026, 3, 8, 20, 30, tzinfo=UTC),
            "Mon 09 Mar 2026 02:00 (Asia/Kolkata)",
            "Mon 09 Mar 2026 03:00 (Asia/Kolkata)",
            id="a half-hour zone shows its own day",
        ),
    ],
)
def test_times_are_those_of_the_site_also_on_the_day_the_clocks_change(db, zone, planned_at, planned, expired):
    company = Company(zone=zone)
    root = company.occurrence(status="AUTO_CLOSED", planned_at=planned_at, expires_at=planned_at + HOUR)
    body = mail_about(root).body
    assert f"Planned: {planned}\n" in body
    assert f"Expired: {expired}\n" in body
