"""The mails about reports: what they say, and in which parts they go to many recipients."""

import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from apps.core.mail import Attachment, OutgoingMail, message_id
from apps.organization.local_time import in_zone

from .file_name import content_type, file_name
from .links import LIFETIME, link_to
from .models import GeneratedReport
from .recipients import Recipients
from .window_text import window_text

# Of one mail: some mail services take no more, such as Amazon SES. RFC 5321, 4.5.3.1.8, asks every server for 100.
MOST_RECIPIENTS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of a report's recipients: they get one mail."""

    number: int  # from 1; the same for the same recipients
    to: tuple[str, ...]
    cc: tuple[str, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        return self.to + self.cc


def parts(recipients: Recipients, *, delivered_to: Collection[str]) -> list[Part]:
    """The recipients in portions, without whom the report has got already. Numbers count those, too."""
    everybody, copies = recipients.all, frozenset(recipients.cc)
    done = frozenset(delivered_to)
    portions = []
    for number, start in enumerate(range(0, len(everybody), MOST_RECIPIENTS), start=1):
        left = [address for address in everybody[start : start + MOST_RECIPIENTS] if address not in done]
        to = tuple(address for address in left if address not in copies)
        cc = tuple(address for address in left if address in copies)
        if left:  # a mail of copies alone is addressed to them: every mail needs somebody it is to
            portions.append(Part(number=number, to=to or cc, cc=cc if to else ()))
    return portions


def report_mail(report: GeneratedReport, part: Part, *, content: bytes | None, now: datetime) -> OutgoingMail:
    """The mail to one part, with the file where there is `content`, else with a link. Needs schedule and site."""
    lines = [*_facts(report), "", *(_linked(report, now) if content is None else _attached(report)), ""]
    return OutgoingMail(
        to=part.to,
        cc=part.cc,
        subject=f"{one_line(report.schedule.name)}: {window_text(report)}",
        body="\n".join(lines),
        message_id=message_id(report.schedule.tenant_id, report.pk, "report", part.number),
        attachments=() if content is None else (_attachment(report, content),),
    )


def expiry_mail(tenant_id: int, reports: Collection[GeneratedReport], to: tuple[str, ...]) -> OutgoingMail:
    """Tells that reports could not be mailed in time. Needs each one's schedule."""
    number = len(reports)
    what = "A report was" if number == 1 else f"{number} reports were"
    lines = [f"{one_line(report.schedule.name)}: {window_text(report)}" for report in reports]
    return OutgoingMail(
        to=to,
        subject=f"{what} not mailed in time",
        body="\n".join(
            [
                f"{what} not mailed within 12 hours of the time that was set, and will not be mailed any more.",
                "Whoever may see reports can fetch them from the site.",
                "",
                *lines,
                "",
            ]
        ),
        message_id=message_id(tenant_id, "reports expired", *sorted(report.pk for report in reports)),
    )


def one_line(text: str) -> str:
    """`text` without line breaks, control characters and those that turn the direction of what follows."""
    spaced = " ".join(text.split())
    return "".join(
        c for c in spaced if unicodedata.category(c) != "Cc" and unicodedata.bidirectional(c) not in _TURNS
    )


_TURNS: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def _facts(report: GeneratedReport) -> Iterator[str]:
    schedule = report.schedule
    yield f"Report: {one_line(schedule.name)}"
    yield f"Type: {schedule.get_type_display()}"
    yield f"Window: {window_text(report)}"
    yield f"Site: {one_line(str(schedule.site)) if schedule.site else 'all sites'}"
    yield f"Rows: {report.rows:,}" if not report.is_empty else "Rows: 0, the report is empty"


def _attachment(report: GeneratedReport, content: bytes) -> Attachment:
    return Attachment(name=file_name(report), content=content, content_type=content_type(report))


def _attached(report: GeneratedReport) -> Iterator[str]:
    yield f"The report is attached as {file_name(report)}."


def _linked(report: GeneratedReport, now: datetime) -> Iterator[str]:
    until = in_zone(now + timedelta(seconds=LIFETIME), ZoneInfo(report.schedule.timezone))
    yield f"The report has {report.size / 1024 / 1024:.1f} MiB, which is too much for a mail. It can be fetched here"
    yield f"until {until}:"
    yield ""
    yield link_to(report)
    yield ""
    yield "Whoever has this address can read the report, so pass it on with care."
