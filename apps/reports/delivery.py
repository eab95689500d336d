"""Mailing one report that is claimed, to all its recipients."""

import re
import smtplib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.core.exceptions import PermanentError
from apps.core.mail import OutgoingMail
from apps.core.retry import FailureReason, classify

from .claims import Claim
from .file_reading import checked_content
from .mail_text import Part, parts, report_mail
from .recipients import Recipients, recipients

TOO_LARGE: Final = 552  # SMTP: the mail is larger than the server takes
_OURS: Final = (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPAuthenticationError)
_ENHANCED_STATUS: Final = re.compile(r"\b[45]\.\d{1,3}\.\d{1,3}\b")  # RFC 3463


class UndeliverableError(PermanentError):
    """The report cannot be mailed; the message says why, and names nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    mails: int
    by_link: bool
    dropped: int  # addresses that are not the tenant's


def deliver(claim: Claim, *, send: Callable[[OutgoingMail], int], clock: Callable[[], datetime]) -> Delivered:
    """Mail the report to whom it has not got yet, and mark it sent.

    Raises UndeliverableError and UnusableFileError where it never can be; ClaimLostError; and what `send` raises
    where it may pass. A part that the server refuses for good does not keep the others from getting theirs.
    """
    report = claim.report
    people = recipients(report.schedule.tenant_id, report.schedule.to, report.schedule.cc)
    _require_somebody(people)
    content = checked_content(report)
    delivered_to = list(report.delivered_to)
    refusals: list[Exception] = []
    mails = 0
    for part in parts(people, delivered_to=delivered_to):
        try:
            content = _send(claim, part, content, send, clock)
        except Exception as error:
            if not is_refusal(error):
                raise
            refusals.append(error)
            continue
        mails += 1
        delivered_to += part.addresses
        claim.renew(delivered_to=delivered_to, at=clock())
    if refusals:
        missed = len(set(people.all) - set(delivered_to))
        whom = "it" if not delivered_to else f"it for {missed} of {len(people.all)} recipients"
        raise UndeliverableError(f"The mail server refused {whom} ({said_by_server(refusals)}).")
    claim.sent(at=clock())
    return Delivered(mails=mails, by_link=content is None, dropped=people.dropped)


def is_refusal(error: Exception) -> bool:
    """Whether the mail server has refused this very mail for good."""
    ours = is_our_trouble(error)
    return not ours and isinstance(error, smtplib.SMTPException) and classify(error) is FailureReason.PERMANENT


def is_our_trouble(error: Exception) -> bool:
    """Whether the mail server refuses us, whatever we mail: no fault of a report, however final it sounds."""
    return isinstance(error, _OURS)


def said_by_server(errors: Iterable[Exception]) -> str:
    """The codes of refusals, such as "550 5.1.1". The texts beside them quote addresses, so they are left out."""
    return ", ".join(sorted({code for error in errors for code in _codes(error)}))


def _require_somebody(people: Recipients) -> None:
    if people.all:
        return
    if people.dropped:
        raise UndeliverableError("None of its recipients is of this tenant's people or sites.")
    raise UndeliverableError("It has no recipients.")


def _send(
    claim: Claim,
    part: Part,
    content: bytes | None,
    send: Callable[[OutgoingMail], int],
    clock: Callable[[], datetime],
) -> bytes | None:
    """Mail to one part. Returns the content that was attached; None where a link went instead."""
    try:
        send(report_mail(claim.report, part, content=content, now=clock()))
    except smtplib.SMTPResponseException as error:
        if content is None or error.smtp_code != TOO_LARGE:
            raise
        content = None  # the server takes less than we attach: a link gets through
        send(report_mail(claim.report, part, content=content, now=clock()))
    return content


def _codes(error: Exception) -> Iterable[str]:
    replies: list[tuple[int, bytes | str]] = []
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        replies = list(error.recipients.values())
    elif isinstance(error, smtplib.SMTPResponseException):
        replies = [(error.smtp_code, error.smtp_error)]
    for code, text in replies:
        words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
        status = _ENHANCED_STATUS.search(words)
        yield f"{code} {status[0]}" if status else str(code)
