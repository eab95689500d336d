"""Reminding people of work before it is due, by way of a real mail server."""

import os
import signal
import smtplib
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from apps.operations import reminders as module
from apps.operations.models import JobNeed, Reminder
from apps.operations.reminder_mail import reminder_mail
from apps.operations.reminders import is_unreachable, reason_of
from apps.operations.services import send_reminders
from apps.organization.models import Group, Person

from ..threads import at_once
from .company import HOUR, NOW, Company

pytestmark = pytest.mark.django_db
SCRIPT = Path(__file__).with_name("killed_reminding.py")


def deliver(mail):
    mail.as_message().send()
    return len(mail.to)


def run(now=NOW, send=deliver, **options):
    return send_reminders(**{"now": now, "send": send, "budget_seconds": 1000, **options})


def standing(reminder):
    reminder.refresh_from_db()
    return (reminder.status, reminder.attempts)


def test_it_says_what_is_due_where_and_when(company, smtp):
    reminder = company.reminder()
    JobNeed.objects.filter(pk=reminder.jobneed_id).update(planned_at=NOW + HOUR / 2)
    assert run().counts == {"found": 1, "sent": 1, "recipients": 1}
    [mail] = smtp.received
    assert mail["To"] == "guard@acme.example"
    assert mail["Subject"] == "Reminder: Patrol 1 at North gate, Mon 23 Nov 2026 18:00 (Asia/Kolkata)"
    assert mail.get_content().splitlines() == [
        "Job: Patrol 1",
        "Site: S1 North gate",
        "Asset: P1 Pump",
        "Assigned to: Gus",
        "Planned: Mon 23 Nov 2026 18:00 (Asia/Kolkata)",
        "To be done before: Mon 23 Nov 2026 19:30 (Asia/Kolkata)",
    ]
    assert (standing(reminder), reminder.sent_at) == (("SENT", 0), NOW)


def test_it_is_sent_once(company, smtp):
    company.reminder()
    run()
    assert run(now=NOW + timedelta(minutes=15)).counts == {}
    assert len(smtp.received) == 1


@pytest.mark.parametrize(
    ("zone", "planned", "shown"),
    [
        ("America/New_York", datetime(2026, 3, 8, 7, 30, tzinfo=UTC), "Sun 08 Mar 2026 03:30 (America/New_York)"),
        ("America/New_York", datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "Sun 01 Nov 2026 01:30 (America/New_York)"),
        ("Asia/Kolkata", datetime(2026, 3, 8, 20, 30, tzinfo=UTC), "Mon 09 Mar 2026 02:00 (Asia/Kolkata)"),
    ],
    ids=["clocks went forward", "clocks went back", "half-hour zone"],
)
def test_times_are_those_of_the_site_also_on_the_day_the_clocks_change(db, zone, planned, shown):
    company = Company(zone=zone)
    root = company.occurrence(planned_at=planned, expires_at=planned + HOUR, checkpoints=["ASSIGNED"] * 2)
    reminder = Reminder.objects.create(jobneed=root, remind_at=planned - HOUR)
    mail = reminder_mail(reminder)
    assert f"Planned: {shown}\n" in mail.body
    assert mail.subject.endswith(shown)
    assert "Checkpoints: 2\n" in mail.body


def test_every_active_member_of_a_group_who_can_be_reached_is_told(company, smtp):
    other = Company("other")
    team = Group.objects.create(tenant=company.tenant, name="Team")
    for name, email, is_active in (
        ("Bea", "bea@acme.example", True),
        ("Cy", "cy@acme.example", False),
        ("Di", "", True),
        ("Ed", "no address", True),
    ):
        team.members.add(Person.objects.create(tenant=company.tenant, name=name, email=email, is_active=is_active))
    team.members.add(company.guard, other.guard)
    reminder = company.reminder()
    JobNeed.objects.filter(pk=reminder.jobneed_id).update(assignee_person=None, assignee_group=team)
    assert run().counts["recipients"] == 2
    assert smtp.recipients() == ["guard@acme.example, bea@acme.example"]


def test_a_line_break_in_a_name_does_not_reach_the_subject(company):
    root = company.occurrence(name="Patrol\r\nBcc: all@acme.example", planned_at=NOW, expires_at=NOW + HOUR)
    mail = reminder_mail(Reminder.objects.create(jobneed=root, remind_at=NOW - HOUR))
    assert mail.subject.startswith("Reminder: Patrol Bcc: all@acme.example at North gate")


def test_only_what_is_due_is_sent(company, smtp):
    company.reminder(minutes=0)
    later = company.reminder(minutes=-1)
    assert run().counts["found"] == 1
    assert standing(later) == ("PENDING", 0)


def test_once_the_work_was_due_it_has_expired(company, smtp):
    late = company.reminder(minutes=90, hours_ahead=-1)
    at_its_very_time = company.reminder(hours_ahead=0)
    assert run().counts == {"expired": 2}
    assert smtp.received == []
    assert standing(late) == standing(at_its_very_time) == ("EXPIRED", 0)
    assert run().counts == {}


def test_many_that_have_expired_are_marked_in_portions(company, monkeypatch):
    monkeypatch.setattr(module, "PORTION", 2)
    for _ in range(5):
        company.reminder(hours_ahead=0)
    assert run().counts == {"expired": 5}


@pytest.mark.parametrize("status", ["IN_PROGRESS", "COMPLETED", "AUTO_CLOSED"])
def test_nobody_is_reminded_of_what_has_begun(company, smtp, status):
    reminder = company.reminder()
    JobNeed.objects.filter(pk=reminder.jobneed_id).update(status=status)
    assert run().counts == {}
    assert standing(reminder) == ("PENDING", 0)
    assert run(now=NOW + HOUR).counts == {"expired": 1}


def test_work_that_begins_after_the_selection_is_left_out(company, smtp, monkeypatch):
    reminder = company.reminder()
    select = module._Run.select

    def select_then_begin(self, after, limit):
        ids = select(self, after, limit)
        JobNeed.objects.update(status="IN_PROGRESS")
        return ids

    monkeypatch.setattr(module._Run, "select", select_then_begin)
    assert run().counts == {"found": 1, "skipped": 1}
    assert smtp.received == []
    assert standing(reminder) == ("PENDING", 0)


def test_a_tenant_that_is_switched_off_is_left_alone(company, smtp):
    other = Company("other")
    other.reminder()
    other.tenant.is_active = False
    other.tenant.save()
    assert run().counts == {}


def test_a_mail_that_is_refused_is_tried_three_times_and_does_not_stop_the_others(company, smtp):
    other = Company("other")
    bad, good = company.reminder(), other.reminder()
    smtp.refused = {"guard@acme.example"}
    first = run()
    assert first.counts == {"found": 2, "failed": 1, "sent": 1, "recipients": 1}
    assert first.errors == [{"id": bad.pk, "reason": "SMTPRecipientsRefused"}]
    assert standing(good) == ("SENT", 0)
    assert standing(bad) == ("PENDING", 1)
    run()
    last = run()
    assert last.counts == {"found": 1, "failed": 1, "given_up": 1}
    assert standing(bad) == ("FAILED", 3)
    assert run().counts == {}
    assert smtp.recipients() == ["guard@other.example"]


def test_one_that_fails_and_is_sent_later_counts_its_attempts(company, smtp):
    reminder = company.reminder()
    smtp.refused = {"guard@acme.example"}
    run()
    smtp.refused = set()
    run()
    assert standing(reminder) == ("SENT", 1)


def test_a_reminder_without_anybody_to_tell_fails(company, smtp):
    reminder = company.reminder()
    company.guard.is_active = False
    company.guard.save()
    outcome = run()
    assert outcome.counts == {"found": 1, "failed": 1, "nobody_to_tell": 1}
    assert outcome.errors == [{"id": reminder.pk, "reason": "nobody to tell"}]
    assert standing(reminder) == ("PENDING", 1)


def test_a_server_that_cannot_be_reached_costs_three_attempts_and_the_rest_waits(company, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    rows = [company.reminder() for _ in range(5)]
    outcome = run()
    assert outcome.counts == {"found": 5, "failed": 3, "postponed": 2}
    assert [standing(row) for row in rows] == [("PENDING", 1)] * 3 + [("PENDING", 0)] * 2
    assert outcome.resume_after is None


def test_no_address_gets_into_a_reason():
    refused = smtplib.SMTPRecipientsRefused({"guard@acme.example": (550, b"No such user: guard@acme.example")})
    sender = smtplib.SMTPSenderRefused(553, b"not you", "o'neil@acme.example")
    assert [reason_of(error) for error in (refused, sender)] == ["SMTPRecipientsRefused", "SMTPSenderRefused 553"]


@pytest.mark.parametrize(
    ("error", "unreachable"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (smtplib.SMTPServerDisconnected(), True),
        (smtplib.SMTPConnectError(421, b""), True),
        (smtplib.SMTPDataError(451, b""), False),
        (smtplib.SMTPRecipientsRefused({}), False),
        (ValueError(), False),
    ],
)
def test_a_server_out_of_reach_is_told_from_a_mail_that_is_refused(error, unreachable):
    assert is_unreachable(error) is unreachable


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_once(company, smtp):
    for _ in range(12):
        company.reminder()
    outcomes = []
    at_once(*(lambda: outcomes.append(run()) for _ in range(2)))
    total = sum((outcome.counts for outcome in outcomes), Counter())
    assert (total["sent"], total["failed"]) == (12, 0)
    assert len(smtp.ids()) == len(set(smtp.ids())) == 12
    assert not Reminder.objects.exclude(status="SENT").exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_after_the_mail_leaves_it_to_the_next_run_with_the_same_message_id(company, smtp):
    reminder = company.reminder()
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    killed = subprocess.run(
        [sys.executable, SCRIPT, str(smtp.port), NOW.isoformat()],
        env={**os.environ, "DATABASE_URL": database.geturl(), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert standing(reminder) == ("PENDING", 0)
    assert run(now=NOW + timedelta(minutes=15)).counts["sent"] == 1
    first, second = smtp.ids()
    assert first == second
    assert standing(reminder) == ("SENT", 0)


def test_each_reminder_has_a_message_id_of_its_own(company, smtp):
    one = company.reminder()
    Reminder.objects.create(jobneed=one.jobneed, remind_at=NOW - HOUR)
    company.reminder()
    run()
    assert len(set(smtp.ids())) == 3
