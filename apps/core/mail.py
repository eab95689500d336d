"""Outgoing mail as a value that is checked before anything is sent."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email

from .exceptions import InvalidMailError


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """One mail. Raises InvalidMailError for a bad or missing recipient, or a line break in a header."""

    to: tuple[str, ...]
    subject: str
    body: str  # plain text
    cc: tuple[str, ...] = ()
    html_body: str | None = None
    message_id: str | None = None  # fixed by the sender, so that a mail server can drop a repeat
    attachments: tuple[Attachment, ...] = ()

    def __post_init__(self) -> None:
        if not self.to:
            raise InvalidMailError("The mail has no recipient.")
        # The addresses stay out of the message: it ends up in logs.
        for position, address in enumerate((*self.to, *self.cc), start=1):
            if not is_valid_address(address):
                raise InvalidMailError(f"Recipient {position} of the mail is not an e-mail address.")
        if not self.subject.strip():
            raise InvalidMailError("The mail has no subject.")
        headers = (self.subject, self.message_id or "", *(item.name for item in self.attachments))
        if any(character in text for text in headers for character in "\r\n\0"):
            raise InvalidMailError("A header of the mail contains a line break; take it out of the subject.")

    def as_message(self) -> EmailMultiAlternatives:
        message = EmailMultiAlternatives(
            subject=self.subject,
            body=self.body,
            to=list(self.to),
            cc=list(self.cc),
            headers={"Message-ID": self.message_id} if self.message_id else {},
        )
        if self.html_body is not None:
            message.attach_alternative(self.html_body, "text/html")
        for item in self.attachments:
            message.attach(item.name, item.content, item.content_type)
        return message


def is_valid_address(address: str) -> bool:
    try:
        validate_email(address)
    except ValidationError:
        return False
    return True


def valid_addresses(addresses: Iterable[str]) -> tuple[str, ...]:
    """The usable ones of `addresses`, each once whatever its case, in the order of their first mention."""
    unique = {address.strip().lower(): address.strip() for address in addresses if address}
    return tuple(address for address in unique.values() if is_valid_address(address))


def message_id(*parts: object) -> str:
    """A Message-ID (RFC 5322) that is the same whenever it is made of the same parts."""
    digest = hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()
    return f"<{digest[:40]}@bgjobs.intelliwiz>"
