import pytest

from apps.core.exceptions import InvalidMailError
from apps.core.mail import Attachment, OutgoingMail, message_id, valid_addresses


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
