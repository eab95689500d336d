"""Outgoing mail as a value that is checked before anything is sent."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email import encoders
from email.mime.base import MIMEBase

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email

from .exceptions import InvalidMailError


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    name: str
    content: bytes
    content_type: str

    def as_part(self) -> MIMEBase:
        """The attachment in base64 whatever its type: as text, its line ends would not arrive as they are."""
        part = MIMEBase(*self.content_type.split("/", 1))
        part.set_payload(self.content)
        encoders.encode_base64(part)
        name = self.name if self.name.isascii() else ("utf-8", "", self.name)
        part.add_header("Content-Disposition", "attachment", filename=name)
        return part


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
            message.attach(item.as_part())
        return message

    def send(self) -> None:
        """Hand the mail to the mail server. Raises smtplib.SMTPException or OSError as Django does."""
        message = self.as_message()
        with _closed_afterwards(get_connection()) as message.connection:
            message.send()


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


def server_answers() -> bool:
    """Whether the mail server takes connections from us: what tells trouble with one mail from trouble with all."""
    try:
        with _closed_afterwards(get_connection()) as connection:
            connection.open()
    except OSError:  # smtplib's errors are of this class, too
        return False
    return True


@contextmanager
def _closed_afterwards(connection: BaseEmailBackend) -> Iterator[BaseEmailBackend]:
    """Django leaves a connection open whose login was refused."""
    try:
        yield connection
    finally:
        with suppress(OSError):
            connection.close()
