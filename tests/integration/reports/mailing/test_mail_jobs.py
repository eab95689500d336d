"""The jobs around the services: what they are given, what they return, how a firing runs once."""

import base64
import json
from collections.abc import Iterator

import pytest
import redis
from django.utils import timezone

from apps.core import context
from apps.core.models import OutboxMessage
from apps.core.redis_client import connect
from apps.reports import mail_tasks
from apps.reports.mail_tasks import send_generated_report_on_mail, send_report_expiry_email

from .agency import HOUR, MINUTE, NOW, Agency, statuses

pytestmark = pytest.mark.django_db


@pytest.fixture
def broker(valkey_url: str) -> Iterator["redis.Redis"]:
    with connect(valkey_url) as client:
        client.delete("email")
        yield client
        client.delete("email")


def test_declarations_are_what_the_timetable_and_the_pools_expect() -> None:
    task = send_generated_report_on_mail
    assert (task.name, task.queue_name) == ("send_generated_report_on_mail", "email")
    assert task.soft_time_limit < task.time_limit < 27 * 60
    assert send_report_expiry_email.queue_name == "email"


def test_it_goes_by_its_firing_instant_and_its_result_is_json(agency, mail_server) -> None:
    agency.report(send_at=NOW)
    agency.report(send_at=NOW + MINUTE)
    with context.using(firing=NOW.isoformat()):
        result = send_generated_report_on_mail.apply().get()
    assert json.loads(json.dumps(result)) == {
        "found": 1,
        "sent": 1,
        "mails": 1,
        "links": 0,
        "failed": 0,
        "expired": 0,
        "postponed": 0,
        "reclaimed": 0,
        "dropped": 0,
        "skipped": 0,
        "lost": 0,
        "server_down": False,
        "errors": [],
        "resume_after": None,
    }


def test_a_run_that_the_timetable_did_not_fire_goes_by_the_present(agency, mail_server) -> None:
    agency.report(send_at=timezone.now() - MINUTE)
    assert send_generated_report_on_mail.apply().get()["sent"] == 1


def test_a_firing_that_is_sent_twice_is_worked_once_and_the_next_one_again(agency, mail_server, forget_keys) -> None:
    def fire(firing) -> int:
        return send_generated_report_on_mail.apply(headers={"bgjobs_firing": firing.isoformat()}).get()["sent"]

    agency.reports(2)
    assert fire(NOW) == 2
    agency.report()
    assert fire(NOW) == 2  # the first one's answer
    assert fire(NOW + 27 * MINUTE) == 1
    forget_keys()  # then the database is the guard
    assert fire(NOW) == fire(NOW + 27 * MINUTE) == 0
    assert len(mail_server.received) == 3


def test_a_run_out_of_time_enqueues_its_continuation_with_the_same_instant(
    agency, mail_server, run_jobs, monkeypatch
) -> None:
    monkeypatch.setattr(mail_tasks, "BUDGET_SECONDS", 0)
    first, *others = agency.reports(3)
    with context.using(firing=NOW.isoformat()):
        assert send_generated_report_on_mail.apply().get()["resume_after"] == first.pk
    row = OutboxMessage.objects.get()
    _, kwargs, _ = json.loads(base64.b64decode(json.loads(row.message)["body"]))
    assert kwargs == {"now_iso": NOW.isoformat(), "after": first.pk}
    assert [job.get()["sent"] for job in run_jobs()] == [1, 1, 0]
    assert statuses(first, *others) == ["SENT"] * 3


@pytest.mark.django_db(transaction=True)
def test_the_mail_about_expired_reports_is_enqueued_for_their_own_tenant(broker, mail_server) -> None:
    agencies = [Agency("acme"), Agency("beta")]
    late = [agency.report(send_at=NOW - 13 * HOUR) for agency in agencies]
    send_generated_report_on_mail.apply(kwargs={"now_iso": NOW.isoformat()})
    sent = [json.loads(message) for message in reversed(broker.lrange("email", 0, -1))]
    assert [message["headers"]["bgjobs_key"] for message in sent] == [
        f"send_report_expiry_email:tenant={agency.tenant.pk}:key={report.pk}"
        for agency, report in zip(agencies, late, strict=True)
    ]
