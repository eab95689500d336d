import asyncio
from email import message_from_bytes
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from deploy.local import mail_pages
from deploy.local.mail import Catcher

MAIL = b"Subject: Hello <b>\r\nFrom: a@example.com\r\n\r\nText with <script>alert(1)</script>\r\n"


@pytest.fixture
def catcher(tmp_path: Path, settings: Any) -> Catcher:
    settings.CAUGHT_MAIL_DIR = tmp_path / "mail" / "new"
    return Catcher(tmp_path / "mail")


def get(view: Any, *, staff: bool = True, **arguments: str) -> HttpResponse:
    request = RequestFactory().get("/mail/")
    request.user = SimpleNamespace(is_active=True, is_staff=staff)  # type: ignore[assignment]
    response: HttpResponse = view(request, **arguments)
    return response


def test_a_mail_becomes_one_file_with_its_envelope(catcher: Catcher, tmp_path: Path) -> None:
    path = catcher.keep("a@example.com", ["b@example.com", "c@example.com"], MAIL)
    message = message_from_bytes(path.read_bytes())
    assert message["X-Envelope-To"] == "b@example.com, c@example.com"
    assert path.read_bytes().endswith(MAIL)
    assert [file.name for file in (tmp_path / "mail").rglob("*.eml")] == [path.name]


def test_a_full_disk_is_the_senders_trouble(catcher: Catcher, tmp_path: Path) -> None:
    (tmp_path / "mail" / "tmp").rmdir()
    envelope: Any = SimpleNamespace(mail_from="a@example.com", rcpt_tos=["b@example.com"], original_content=MAIL)
    server: Any = None
    assert asyncio.run(catcher.handle_DATA(server, server, envelope)).startswith("452 ")


def test_the_pages_show_mails_with_their_markup_escaped(catcher: Catcher) -> None:
    path = catcher.keep("a@example.com", ["b@example.com"], MAIL)
    listed = get(mail_pages.list_mails).content.decode()
    shown = get(mail_pages.show_mail, name=path.name).content.decode()
    assert "Hello &lt;b&gt;" in listed
    assert "b@example.com" in listed
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script" not in listed + shown


def test_the_pages_are_for_staff(catcher: Catcher) -> None:
    assert get(mail_pages.list_mails, staff=False).status_code == 302


@pytest.mark.parametrize("name", ["../../secret_key", "20261123T000000.000000Z-00000000.eml", "x.eml", ""])
def test_only_caught_mails_are_shown(catcher: Catcher, name: str) -> None:
    with pytest.raises(Http404):
        get(mail_pages.show_mail, name=name)


def test_a_mail_in_an_unknown_character_set_is_shown_all_the_same(catcher: Catcher) -> None:
    header = b"Subject: x\r\nContent-Type: text/plain; charset=klingon\r\n\r\n"
    path = catcher.keep("a@example.com", ["b@example.com"], header + b"nuqneH\r\n")
    assert "nuqneH" in get(mail_pages.show_mail, name=path.name).content.decode()
