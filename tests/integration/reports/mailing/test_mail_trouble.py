"""Mail servers that refuse, hang up or are not there."""

import json
import smtplib
import socket

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError

from apps.reports import mailing

from .agency import HOUR, MINUTE, NOW, reason, statuses

pytestmark = pytest.mark.django_db


def test_a_refusal_for_good_fails_the_report_with_the_servers_code(agency, mail_server, mail_due) -> None:
    bad, good = agency.report(agency.schedule(to=["ada@acme.example"])), agency.report()
    mail_server.answer_to_recipient = lambda address: (
        "550 5.1.1 <ada@acme.example>: user unknown" if address.startswith("ada") else "250 OK"
    )
    assert mail_due() == {"found": 2, "failed": 1, "sent": 1, "mails": 1}
    assert statuses(bad, good) == ["FAILED", "SENT"]
    assert reason(bad) == "The mail server refused it (550 5.1.1)."


def test_a_refused_content_fails_the_report(agency, mail_server, mail_due) -> None:
    report = agency.report()
    mail_server.answer_to_data = lambda _: "554 looks like spam to rita@acme.example"
    assert mail_due() == {"found": 1, "failed": 1}
    assert reason(report) == "The mail server refused it (554)."


@pytest.mark.parametrize("code", ["451 4.3.0 try again", "452 4.2.2 full", "421 closing"])
def test_a_refusal_for_now_leaves_the_report_to_the_next_run_and_the_rest_goes_on(
    agency, mail_server, mail_due, code
) -> None:
    reports = agency.reports(3)
    answers = iter([code])
    refused = []

    def answer(mail) -> str:
        if said := next(answers, None):
            refused.append(mail.id)
        return said or "250 OK"

    mail_server.answer_to_data = answer
    assert mail_due() == {"found": 3, "postponed": 1, "sent": 2, "mails": 2}
    assert statuses(*reports) == ["READY", "SENT", "SENT"]
    assert mail_due(NOW + 27 * MINUTE)["sent"] == 1
    assert mail_server.received[-1].id == refused[0]
    assert reason(reports[0]) == ""


def test_a_server_that_hangs_up_on_one_mail_gets_the_others(agency, mail_server, mail_due) -> None:
    reports = agency.reports(3)
    poison = f"-{reports[0].pk}.csv"
    mail_server.answer_to_data = lambda mail: "" if any(poison in name for name in mail.attachments) else "250 OK"
    assert mail_due() == {"found": 3, "postponed": 1, "sent": 2, "mails": 2}
    assert statuses(*reports) == ["READY", "SENT", "SENT"]


def test_a_server_that_is_down_is_tried_once_and_the_rest_is_left_to_the_next_run(
    agency, mail_server, mail_due
) -> None:
    reports = agency.reports(4)
    mail_server.stop()
    assert mail_due() == {"found": 1, "postponed": 1, "server_down": True}
    assert statuses(*reports) == ["READY"] * 4
    mail_server.start()
    assert mail_due(NOW + 27 * MINUTE)["sent"] == 4


def test_a_server_that_goes_down_in_the_middle_keeps_what_it_has_and_gets_the_rest_later(
    agency, mail_server, mail_due
) -> None:
    reports = agency.reports(4)

    def two_then_down(_) -> str:
        if len(mail_server.received) < 2:
            return "250 OK"
        mail_server._server.close()
        return ""

    mail_server.answer_to_data = two_then_down
    assert mail_due() == {"found": 3, "sent": 2, "mails": 2, "postponed": 1, "server_down": True}
    assert statuses(*reports) == ["SENT", "SENT", "READY", "READY"]
    mail_server.stop()
    mail_server.answer_to_data = lambda _: "250 OK"
    mail_server.start()
    assert mail_due(NOW + 27 * MINUTE)["sent"] == 2
    assert len({mail.id for mail in mail_server.received}) == 4


def test_a_server_that_does_not_know_us_is_no_fault_of_a_report(agency, mail_server, mail_due, settings) -> None:
    mail_server.password = "another"
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "wrong"
    reports = agency.reports(2)
    assert mail_due() == {"found": 1, "postponed": 1, "server_down": True}
    assert statuses(*reports) == ["READY", "READY"]
    assert mail_server.received == []


def test_a_host_that_has_no_address_is_trouble_that_may_pass(agency, mail_due, mail_server, settings) -> None:
    settings.EMAIL_HOST = "mail.invalid"
    report = agency.report()
    with pytest.MonkeyPatch.context() as patch:

        def no_address(*_: object, **__: object) -> None:
            raise socket.gaierror(-2, "Name or service not known")

        patch.setattr(socket, "getaddrinfo", no_address)
        assert mail_due()["server_down"]
    assert statuses(report) == ["READY"]


def test_a_fault_of_our_own_in_one_report_stops_no_other(agency, mail_server, mail_due, monkeypatch) -> None:
    bad, good = agency.reports(2)
    real = mailing.deliver

    def faulty(claim, **options):
        if claim.report.pk == bad.pk:
            raise KeyError("rita@acme.example")
        return real(claim, **options)

    monkeypatch.setattr(mailing, "deliver", faulty)
    assert mail_due() == {"found": 2, "failed": 1, "sent": 1, "mails": 1}
    assert reason(bad) == "KeyError while it was mailed."
    assert statuses(good) == ["SENT"]


@pytest.mark.parametrize("error", [OperationalError, SoftTimeLimitExceeded])
def test_what_is_no_fault_of_a_report_ends_the_run_and_fails_none(agency, mail_due, monkeypatch, error) -> None:
    reports = agency.reports(2)

    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(mailing, "deliver", broken)
    with pytest.raises(error):
        mail_due()
    assert statuses(*reports) == ["READY" if error is SoftTimeLimitExceeded else "SENDING", "READY"]
    monkeypatch.undo()


def test_no_address_and_no_name_gets_into_logs_reasons_or_results(
    agency, mail_server, mail_due, caplog, forget_keys
) -> None:
    from apps.reports.mail_tasks import send_generated_report_on_mail

    names = ["Rita's secret", "Tickets of Bob"]
    mail_server.answer_to_data = lambda mail: (
        "550 no rita@acme.example" if "secret" in str(mail.message["Subject"]) else "451 later, rita@acme.example"
    )
    reports = [agency.report(agency.schedule(name=name, to=["rita@acme.example", "x@y.example"])) for name in names]
    agency.report(agency.schedule(name=names[0], to=["x@y.example"]))
    agency.report(agency.schedule(name=names[0]), send_at=NOW - 13 * HOUR)
    with caplog.at_level("DEBUG", logger="apps"), caplog.at_level("DEBUG", logger="celery"):
        result = send_generated_report_on_mail.apply(kwargs={"now_iso": NOW.isoformat()}).get()
    assert (result["failed"], result["postponed"], result["expired"]) == (2, 1, 1)
    said = caplog.text + json.dumps(result) + "".join(map(reason, reports))
    assert "report.failed" in said
    for personal in ("rita", "y.example", "secret", "Bob"):
        assert personal not in said
    assert smtplib.SMTPException.__name__ not in said
