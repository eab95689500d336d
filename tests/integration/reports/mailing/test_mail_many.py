"""Many recipients, large files, hostile names: against a real mail server."""

import os
from email import policy
from email.parser import BytesParser

import pytest

from apps.reports.file_reading import LARGEST_ATTACHMENT
from apps.reports.mail_text import MOST_RECIPIENTS
from apps.reports.models import GeneratedReport

from .agency import MINUTE, NOW, reason, statuses

pytestmark = pytest.mark.django_db
MIB = 1024 * 1024


def test_a_thousand_recipients_get_one_mail_each_in_parts_with_ids_of_their_own(
    agency, mail_server, mail_due
) -> None:
    people = agency.people(1000)
    report = agency.report(agency.schedule(to=people[:700], cc=people[700:]))
    assert mail_due() == {"found": 1, "sent": 1, "mails": 20}
    got = [address for mail in mail_server.received for address in mail.recipients]
    assert sorted(got) == people
    assert max(len(mail.recipients) for mail in mail_server.received) == MOST_RECIPIENTS == 50
    assert len({mail.id for mail in mail_server.received}) == 20
    assert sorted(GeneratedReport.objects.get(pk=report.pk).delivered_to) == people


def test_parts_that_were_taken_are_not_mailed_again_when_the_server_stops_in_the_middle(
    agency, mail_server, mail_due
) -> None:
    people = agency.people(200)
    report = agency.report(agency.schedule(to=people))
    ids = []

    def two_then_wait(mail) -> str:
        ids.append(mail.id)
        return "250 OK" if len(ids) < 3 else "452 too many mails from you"

    mail_server.answer_to_data = two_then_wait
    assert mail_due() == {"found": 1, "postponed": 1}
    assert statuses(report) == ["READY"]
    mail_server.answer_to_data = lambda _: "250 OK"
    assert mail_due(NOW + 27 * MINUTE) == {"found": 1, "sent": 1, "mails": 2}
    assert sorted(address for mail in mail_server.received for address in mail.recipients) == people
    assert mail_server.received[2].id == ids[2]
    assert len({mail.id for mail in mail_server.received}) == 4


def test_a_part_that_is_refused_for_good_keeps_no_other_from_its_mail(agency, mail_server, mail_due) -> None:
    people = agency.people(150)
    report = agency.report(agency.schedule(to=people))
    mail_server.answer_to_recipient = lambda address: (
        "550 5.1.1 unknown" if 50 <= int(address[1:5]) < 100 else "250 OK"
    )
    assert mail_due() == {"found": 1, "failed": 1}
    assert len(mail_server.received) == 2
    assert statuses(report) == ["FAILED"]
    assert reason(report) == "The mail server refused it for 50 of 150 recipients (550 5.1.1)."


def test_ten_mebibytes_are_attached_and_one_byte_more_is_a_link(agency, mail_server, mail_due, client) -> None:
    assert LARGEST_ATTACHMENT == 10 * MIB
    content = os.urandom(10 * MIB + 1)
    agency.report(content=content[:-1])
    agency.report(content=content)
    assert mail_due() == {"found": 2, "sent": 2, "mails": 2, "links": 1}
    attached, linked = mail_server.received
    assert list(attached.attachments.values()) == [content[:-1]]
    assert linked.attachments == {}
    assert len(linked.content) < 4000
    assert "The report has 10.0 MiB, which is too much for a mail." in linked.text
    assert "until Mon 30 Nov 2026 17:30 (Asia/Kolkata)" in linked.text
    (address,) = [line for line in linked.text.splitlines() if line.startswith("https://")]
    got = client.get(address.removeprefix("https://jobs.example.com"))
    assert (got.status_code, b"".join(got.streaming_content)) == (200, content)


def test_a_server_that_takes_less_than_we_attach_gets_a_link(agency, mail_server, mail_due) -> None:
    agency.report()
    mail_server.answer_to_data = lambda mail: (
        "552 5.3.4 message size exceeds fixed limit" if mail.attachments else "250 OK"
    )
    assert mail_due() == {"found": 1, "sent": 1, "mails": 1, "links": 1}
    assert "https://jobs.example.com/reports/" in mail_server.received[0].text


@pytest.mark.parametrize(
    "name",
    [
        "Daily\r\nBcc: everybody@evil.example",
        "Daily\nX-Evil: yes\n\nbody",
        "Daily\r\n\r\n<script>alert(1)</script>",
        "\u2028Bcc: everybody@evil.example\x85X-Evil: yes",
        "../../etc/passwd",
        'a"; filename="evil.exe',
        "=?utf-8?q?evil?=",
        "Rapport \N{RIGHT-TO-LEFT OVERRIDE}fdp.exe",
        "Müller, Łódź, ₹, 報告, 🙂" * 6,
        "x" * 200,
    ],
)
def test_a_hostile_name_changes_neither_headers_nor_recipients_nor_the_files_name(
    agency, mail_server, mail_due, name
) -> None:
    report = agency.report(agency.schedule(name=name))
    assert mail_due()["sent"] == 1
    (mail,) = mail_server.received
    assert mail.recipients == ("rita@acme.example",)
    assert sorted(mail.message.keys()) == sorted(
        ["Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID"]
    )
    assert list(mail.attachments) == [f"ticket-list-2026-11-22-{report.pk}.csv"]
    strict = BytesParser(policy=policy.SMTP).parsebytes(mail.content)
    assert not strict.defects
    subject = str(mail.message["Subject"])
    assert subject.endswith(": Sun 22 Nov 2026 (Asia/Kolkata)")
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in subject + mail.text
    assert "\nBcc:" not in mail.text
