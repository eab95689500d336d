"""What the mails about reports say, and in which parts they go out."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.organization.models import Site, Tenant
from apps.reports.file_name import content_type, file_name
from apps.reports.mail_text import MOST_RECIPIENTS, Part, one_line, parts, report_mail
from apps.reports.models import Format, GeneratedReport, ReportSchedule
from apps.reports.recipients import Recipients
from apps.reports.window_text import window_text

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PART = Part(number=1, to=("rita@acme.example",), cc=())


def report(zone: str = "Asia/Kolkata", **fields: object) -> GeneratedReport:
    schedule = ReportSchedule(
        pk=3,
        tenant=Tenant(pk=7, slug="acme", name="Acme"),
        name=fields.pop("name", "Daily tickets"),
        type=fields.pop("type", "TICKET_SLA"),
        timezone=zone,
        site=fields.pop("site", None),
    )
    chosen = {
        "pk": 4711,
        "window_from": datetime(2026, 11, 21, 18, 30, tzinfo=UTC),
        "window_until": datetime(2026, 11, 22, 18, 30, tzinfo=UTC),
        "format": "PDF",
        "size": 1000,
        "rows": 1234,
    }
    return GeneratedReport(schedule=schedule, **{**chosen, **fields})


def between(zone: str, start: str, end: str) -> str:
    instants = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)]
    return window_text(report(zone, window_from=instants[0], window_until=instants[1]))


def test_it_says_what_the_report_is_about() -> None:
    mail = report_mail(report(site=Site(code="S1", name="North gate")), PART, content=b"x", now=NOW)
    assert mail.subject == "Daily tickets: Sun 22 Nov 2026 (Asia/Kolkata)"
    assert mail.body == (
        "Report: Daily tickets\n"
        "Type: Ticket SLA\n"
        "Window: Sun 22 Nov 2026 (Asia/Kolkata)\n"
        "Site: S1 North gate\n"
        "Rows: 1,234\n"
        "\n"
        "The report is attached as ticket-sla-2026-11-22-4711.pdf.\n"
    )


@pytest.mark.parametrize(
    ("zone", "start", "end", "said"),
    [
        ("Asia/Kolkata", "2026-11-21T18:30", "2026-11-22T18:30", "Sun 22 Nov 2026"),
        ("UTC", "2026-12-31T00:00", "2027-01-01T00:00", "Thu 31 Dec 2026"),
        # 23 and 25 hours: still the whole day.
        ("America/New_York", "2026-03-08T05:00", "2026-03-09T04:00", "Sun 08 Mar 2026"),
        ("America/New_York", "2026-11-01T04:00", "2026-11-02T05:00", "Sun 01 Nov 2026"),
        # 24 hours over a change of clocks are not.
        (
            "America/New_York",
            "2026-03-08T05:00",
            "2026-03-09T05:00",
            "Sun 08 Mar 2026 00:00 to Mon 09 Mar 2026 01:00",
        ),
        # A working week, and a month.
        ("Europe/London", "2026-11-16T00:00", "2026-11-21T00:00", "Mon 16 Nov 2026 to Fri 20 Nov 2026"),
        ("Europe/London", "2026-03-01T00:00", "2026-03-31T23:00", "Sun 01 Mar 2026 to Tue 31 Mar 2026"),
        ("UTC", "2026-11-22T08:00", "2026-11-22T20:00", "Sun 22 Nov 2026 08:00 to Sun 22 Nov 2026 20:00"),
        # Where a day begins at one o'clock: Cairo's clocks skip its midnight.
        (
            "Africa/Cairo",
            "2026-04-23T22:00",
            "2026-04-24T21:00",
            "Fri 24 Apr 2026 01:00 to Sat 25 Apr 2026 00:00",
        ),
    ],
)
def test_windows_are_said_in_the_schedules_zone(zone: str, start: str, end: str, said: str) -> None:
    assert between(zone, start, end) == f"{said} ({zone})"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\nBcc: x", "a Bcc: x"),
        ("  a \t b ", "a b"),
        ("a\u2028b\x85c\x0bd", "a b c d"),
        ("a\x00b\x07c\x7fd", "abcd"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe", "afdp.exe"),
        ("Müller, नमस्ते, 🧑\u200d🔧", "Müller, नमस्ते, 🧑\u200d🔧"),
    ],
)
def test_names_become_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


@given(name=st.text(max_size=200))
def test_no_name_makes_a_mail_that_is_refused(name: str) -> None:
    mail = report_mail(report(name=name), PART, content=b"", now=NOW)
    assert len((mail.subject + mail.attachments[0].name).splitlines()) == 1
    assert mail.attachments[0].name == "ticket-sla-2026-11-22-4711.pdf"


@pytest.mark.parametrize("type_", ["../../etc/passwd", "", 'a"\r\nb', "TICKET_SLA.exe"])
def test_a_files_name_is_harmless_whatever_the_row_says(type_: str) -> None:
    name = file_name(report(type=type_))
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert name.count(".") == 1


def test_every_format_has_its_content_type() -> None:
    assert len({content_type(report(format=format_)) for format_ in Format}) == len(Format)


@given(to=st.integers(0, 170), cc=st.integers(0, 170), done=st.lists(st.integers(0, 339), max_size=80))
def test_each_part_is_small_and_everybody_left_is_in_one(to: int, cc: int, done: list[int]) -> None:
    people = Recipients(
        to=tuple(f"t{n}@x.example" for n in range(to)), cc=tuple(f"c{n}@x.example" for n in range(cc)), dropped=0
    )
    delivered = {people.all[n] for n in done if n < len(people.all)}
    made = parts(people, delivered_to=delivered)
    named = [address for part in made for address in part.addresses]
    assert sorted(named) == sorted(set(people.all) - delivered)
    assert all(part.to and len(part.addresses) <= MOST_RECIPIENTS for part in made)
    everybody = {address: part.number for part in parts(people, delivered_to=()) for address in part.addresses}
    assert all(everybody[address] == part.number for part in made for address in part.addresses)


def test_each_part_has_an_id_of_its_own_that_depends_on_tenant_report_and_number_only() -> None:
    def id_of(one: GeneratedReport, number: int, content: bytes | None = b"") -> str | None:
        part = Part(number=number, to=("a@x.example",), cc=())
        return report_mail(one, part, content=content, now=NOW).message_id

    assert id_of(report(), 1) == id_of(report(name="Renamed", rows=0), 1, b"other") == id_of(report(), 1, None)
    assert len({id_of(report(), 1), id_of(report(), 2), id_of(report(pk=1), 1)}) == 3
