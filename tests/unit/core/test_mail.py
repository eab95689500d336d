from email import message_from_bytes, policy
from typing import Any

import pytest

from apps.core.exceptions import InvalidMailError
from apps.core.mail import Attachment, OutgoingMail, message_id, server_answers, valid_addresses


def mail(**changes: object) -> OutgoingMail:
    fields = {"to": ("a@example.com",), "subject": "Hello", "body": "text"}
    return OutgoingMail(**(fields | changes))  # type: ignore[arg-type]


def test_a_good_mail_becomes_a_message_with_its_fixed_id() -> None:
    message = mail(
        cc=("b@example.com",),
        message_id="<1@x>",
        html_body="<p>text</p>",
        attachments=(Attachment(name="r.csv", content=b"a,b", content_type="text/csv"),),
    ).as_message()
    sent = message.message()
    assert sent["Message-ID"] == "<1@x>"
    assert sent["To"] == "a@example.com"
    assert sent["Cc"] == "b@example.com"
    assert "r.csv" in sent.as_string()


@pytest.mark.parametrize(
    "changes",
    [
        {"to": ()},
        {"to": ("nobody",)},
        {"to": ("a@example.com\nBcc: x@example.com",)},
        {"cc": ("bad address@example.com",)},
        {"subject": "Hello\r\nBcc: x@example.com"},
        {"subject": "  "},
        {"message_id": "<1@x>\nX: y"},
        {"attachments": (Attachment(name="a\nb", content=b"", content_type="text/plain"),)},
    ],
    ids=repr,
)
def test_a_mail_that_could_not_be_sent_as_meant_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidMailError):
        mail(**changes)


def test_the_refusal_of_a_recipient_does_not_quote_the_address() -> None:
    with pytest.raises(InvalidMailError) as refused:
        mail(to=("ann.example",))
    assert "ann" not in str(refused.value)


def test_addresses_are_kept_once_whatever_their_case_and_bad_ones_are_dropped() -> None:
    assert valid_addresses(["A@x.org", "a@X.org ", "", "bad", "b@x.org"]) == ("a@X.org", "b@x.org")


def test_a_message_id_depends_on_its_parts_only() -> None:
    assert message_id(1, "auto_close") == message_id(1, "auto_close")
    assert message_id(1, "23") != message_id(12, "3")


@pytest.mark.parametrize("content_type", ["text/csv", "text/html", "application/pdf"])
def test_an_attachment_arrives_byte_for_byte_whatever_its_type(content_type: str) -> None:
    content = b"a\nb\r\nc\r\xff\x00" + b"x" * 2000
    sent = mail(attachments=(Attachment(name="Łódź.x", content=content, content_type=content_type),)).as_message()
    parsed = message_from_bytes(sent.message().as_bytes(linesep="\r\n"), policy=policy.default)
    (part,) = parsed.iter_attachments()
    assert part.get_payload(decode=True) == content
    assert (part.get_filename(), part.get_content_type()) == ("Łódź.x", content_type)


def test_a_mail_server_that_is_not_there_does_not_answer(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert not server_answers()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert server_answers()
