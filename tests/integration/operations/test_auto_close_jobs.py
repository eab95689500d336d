"""The jobs auto_close_jobs and send_job_expiry_email, with a real broker."""

import base64
import json
from datetime import timedelta
from functools import partial

import pytest
from django.core import mail

from apps.core import context
from apps.core.models import OutboxMessage
from apps.helpdesk.models import Ticket
from apps.operations import services, tasks
from apps.operations.models import JobNeed
from apps.operations.tasks import auto_close_jobs, enqueue_mail, send_job_expiry_email

from ..outages import broker_out_of_reach, relay, rows_of_tenant_refused
from .company import HOUR, NOW, Company

pytestmark = pytest.mark.django_db(transaction=True)
Status = JobNeed.Status


def kwargs_of(message):
    return json.loads(base64.b64decode(message["body"]))[1]


def work_off(messages):
    """Run mail jobs as a worker would; returns their results."""
    return [
        send_job_expiry_email.apply(
            kwargs=kwargs_of(message), task_id=message["headers"]["id"], headers=message["headers"]
        )
        for message in messages
    ]


@pytest.fixture
def dead_mail_server(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


def test_they_are_declared_as_the_timetable_and_the_operators_know_them():
    assert (auto_close_jobs.name, auto_close_jobs.queue_name) == ("auto_close_jobs", "critical")
    assert (auto_close_jobs.soft_time_limit, auto_close_jobs.time_limit) == (600, 900)
    assert (send_job_expiry_email.name, send_job_expiry_email.queue_name) == ("send_job_expiry_email", "email")


def test_the_result_counts_everything_and_is_json(company, queued):
    company.occurrence(on_expiry="RAISE_TICKET")
    company.occurrence(status="IN_PROGRESS", checkpoints=["COMPLETED", "ASSIGNED"])
    result = auto_close_jobs(now_iso=NOW.isoformat())
    assert json.loads(json.dumps(result)) == {
        "found": 2,
        "closed": 1,
        "partially": 1,
        "completed": 0,
        "tickets": 1,
        "mails": 1,
        "nobody_to_tell": 0,
        "skipped": 0,
        "failed": 0,
        "errors": [],
        "resume_after": None,
    }


def test_what_is_due_counts_from_the_firing_instant(company, queued):
    company.occurrence(expires_at=NOW - timedelta(minutes=1))
    with context.using(firing=(NOW - HOUR).isoformat()):
        assert auto_close_jobs.apply().get()["found"] == 0
    with context.using(firing=NOW.isoformat()):
        assert auto_close_jobs.apply().get()["found"] == 1


def test_without_a_timetable_it_counts_from_now(company, queued, time_machine):
    time_machine.move_to(NOW, tick=False)
    company.occurrence(expires_at=NOW)
    company.occurrence(expires_at=NOW + timedelta(seconds=1))
    assert auto_close_jobs()["found"] == 1


def test_the_mail_is_a_job_of_the_occurrences_tenant_on_the_email_queue(company, queued):
    company.escalates_after(2, "DAY")
    other = Company("other")
    rows = [company.occurrence(on_expiry="RAISE_TICKET"), other.occurrence(on_expiry="NOTIFY")]
    auto_close_jobs(now_iso=NOW.isoformat())
    messages = queued("email")
    assert [message["headers"]["bgjobs_tenant"] for message in messages] == [
        str(company.tenant.pk),
        str(other.tenant.pk),
    ]
    assert [kwargs_of(message) for message in messages] == [
        {
            "jobneed_id": rows[0].pk,
            "closed_at": "2026-11-23T12:00:00+00:00",
            "ticket_number": "T-000001",
            "escalates_at": "2026-11-25T12:00:00+00:00",
        },
        {
            "jobneed_id": rows[1].pk,
            "closed_at": "2026-11-23T12:00:00+00:00",
            "ticket_number": None,
            "escalates_at": None,
        },
    ]


def test_a_row_that_fails_leaves_no_mail(company, queued, monkeypatch):
    company.occurrence(on_expiry="NOTIFY")

    def enqueue_and_fail(notice):
        enqueue_mail(notice)
        assert OutboxMessage.objects.count() == 1
        raise LookupError

    monkeypatch.setattr(tasks, "enqueue_mail", enqueue_and_fail)
    result = auto_close_jobs(now_iso=NOW.isoformat())
    assert [error["reason"] for error in result["errors"]] == ["LookupError: "]
    relay()
    assert queued("email") == []
    assert not OutboxMessage.objects.exists()


def test_a_close_whose_mail_the_database_refuses_is_rolled_back_with_it(company, queued):
    refused = company.occurrence(
        on_expiry="RAISE_TICKET", status="IN_PROGRESS", checkpoints=["COMPLETED", "ASSIGNED"]
    )
    other = Company("other").occurrence(on_expiry="NOTIFY")
    with rows_of_tenant_refused(company.tenant.pk):
        result = auto_close_jobs(now_iso=NOW.isoformat())
    assert (result["closed"], result["mails"], result["tickets"], result["failed"]) == (1, 1, 0, 1)
    assert [error["id"] for error in result["errors"]] == [refused.pk]
    assert [kwargs_of(message)["jobneed_id"] for message in queued("email")] == [other.pk]
    assert not Ticket.objects.exists()
    refused.refresh_from_db()
    assert (refused.status, refused.closed_by_server) == (Status.IN_PROGRESS, False)
    assert not refused.checkpoints.filter(status=Status.AUTO_CLOSED).exists()
    again = auto_close_jobs(now_iso=NOW.isoformat())
    assert (again["partially"], again["mails"], again["tickets"], again["failed"]) == (1, 1, 1, 0)


def test_the_mail_goes_out_once_with_its_own_message_id(company, queued):
    root = company.occurrence(on_expiry="RAISE_TICKET")
    auto_close_jobs(now_iso=NOW.isoformat())
    [result] = work_off(queued("email"))
    assert result.get() == {"recipients": 2}
    [sent] = mail.outbox
    assert sent.to == ["site@acme.example", "admin@acme.example"]
    assert "T-000001" in sent.body
    expected = services.job_expiry_mail(root.pk, closed_at=NOW, ticket_number=None, escalates_at=None)
    assert sent.extra_headers["Message-ID"] == expected.message_id


def test_a_mail_whose_job_comes_twice_goes_out_once(company, queued):
    company.occurrence(on_expiry="NOTIFY")
    auto_close_jobs(now_iso=NOW.isoformat())
    [message] = queued("email")
    with context.using(tenant_id=company.tenant.pk):
        send_job_expiry_email.delay(**kwargs_of(message))
    first, second = work_off(queued("email"))
    assert first.id != second.id
    assert first.get() == second.get() == {"recipients": 2}
    assert len(mail.outbox) == 1


def test_the_mails_key_is_tenant_and_occurrence(company, queued):
    rows = [one.occurrence(on_expiry="NOTIFY") for one in (company, Company("other"))]
    auto_close_jobs(now_iso=NOW.isoformat())
    assert [message["headers"]["bgjobs_key"] for message in queued("email")] == [
        f"send_job_expiry_email:tenant={row.site.tenant_id}:key={row.pk}:auto_close" for row in rows
    ]


def test_equal_ids_of_two_tenants_are_two_mails(company, queued):
    root = company.occurrence(on_expiry="NOTIFY")
    keys = set()
    for tenant in (company.tenant, Company("other").tenant):
        with context.using(tenant_id=tenant.pk):
            job = {"jobneed_id": root.pk, "closed_at": NOW.isoformat()}
            keys.add(send_job_expiry_email.key_for((), job, context.current()))
            for _ in range(2):
                assert send_job_expiry_email.apply(kwargs=job).get() == {"recipients": 2}
    assert len(keys) == len(mail.outbox) == 2


def test_a_firing_that_is_sent_twice_is_worked_once_and_the_next_one_again(company, queued, forget_keys):
    def fire(firing):
        return auto_close_jobs.apply(headers={"bgjobs_firing": firing.isoformat()}).get()["closed"]

    company.occurrence(expires_at=NOW - timedelta(minutes=1))
    results = []
    for firing in (NOW, NOW, NOW + HOUR):
        company.occurrence(expires_at=NOW - timedelta(minutes=1))
        results.append(fire(firing))
    assert results == [2, 2, 2]  # the second one is the first one's answer: its new occurrence was left to the third
    assert JobNeed.objects.filter(status=Status.AUTO_CLOSED).count() == 4
    forget_keys()  # then the database is the guard
    assert fire(NOW) == fire(NOW + HOUR) == 0


def test_a_firing_has_one_key_however_often_it_is_enqueued(queued):
    firings = [NOW, NOW, NOW + HOUR]
    for firing in firings:
        auto_close_jobs.apply_async(headers={"bgjobs_firing": firing.isoformat()})
    keys = [message["headers"]["bgjobs_key"] for message in queued("critical")]
    assert keys[0] == keys[1] != keys[2]
    assert all(f":global:firing={firing.isoformat()}" in key for key, firing in zip(keys, firings, strict=True))


def test_a_mail_with_nobody_left_to_tell_is_not_sent(company, queued):
    company.occurrence(on_expiry="NOTIFY")
    auto_close_jobs(now_iso=NOW.isoformat())
    company.admin.delete()
    company.site.in_charge = []
    company.site.save()
    [result] = work_off(queued("email"))
    assert result.get() == {"recipients": 0}
    assert mail.outbox == []


def test_a_dead_mail_server_neither_undoes_nor_repeats_a_close(company, queued, dead_mail_server):
    root = company.occurrence(on_expiry="RAISE_TICKET")
    assert auto_close_jobs(now_iso=NOW.isoformat())["mails"] == 1
    [result] = work_off(queued("email"))
    assert isinstance(result.result, ConnectionRefusedError)
    root.refresh_from_db()
    assert root.status == Status.AUTO_CLOSED
    assert auto_close_jobs(now_iso=(NOW + HOUR).isoformat())["found"] == 0
    assert Ticket.objects.count() == len(queued("email")) == 1


def test_a_dead_broker_does_not_undo_a_close_either_and_the_mail_goes_out_later(company, queued, caplog):
    root = company.occurrence(on_expiry="NOTIFY")
    with broker_out_of_reach():
        result = auto_close_jobs(now_iso=NOW.isoformat())
    assert (result["closed"], result["mails"], result["failed"]) == (1, 1, 0)
    root.refresh_from_db()
    assert root.status == Status.AUTO_CLOSED
    assert "outbox.broker_down" in caplog.text
    assert queued("email") == []
    relay()
    [message] = queued("email")
    assert kwargs_of(message)["jobneed_id"] == root.pk
    [sent] = work_off([message])
    assert sent.get() == {"recipients": 2}
    assert not OutboxMessage.objects.exists()


def test_a_sweep_that_has_used_its_time_goes_on_as_a_new_job(company, queued, monkeypatch):
    rows = company.occurrences(5)
    clock = iter(range(0, 1000, 12))  # each look at the clock is 12 seconds later; 20 are allowed
    monkeypatch.setattr(services, "auto_close", partial(services.auto_close, clock=lambda: next(clock)))
    first = auto_close_jobs(now_iso=NOW.isoformat())
    assert (first["closed"], first["resume_after"]) == (2, rows[1].pk)
    [message] = queued("critical")
    assert message["headers"]["task"] == "auto_close_jobs"
    assert kwargs_of(message) == {"now_iso": NOW.isoformat(), "after": rows[1].pk}

    second = auto_close_jobs(**kwargs_of(message))
    last = auto_close_jobs(**kwargs_of(queued("critical")[1]))
    assert (second["closed"], last["closed"], last["resume_after"]) == (2, 1, None)
    assert len(queued("critical")) == 2
