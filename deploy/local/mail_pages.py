"""Pages of the caught mails, for development: a list and the text of each, for staff only."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template import Context, Engine
from django.urls import path

NAME = re.compile(r"[0-9TZ.]+-[0-9a-f]{8}\.eml")
SHOWN = 200  # the newest ones
PAGE = Engine().from_string(
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ title }}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid #ccc; padding: .3rem .6rem; text-align: left; overflow-wrap: anywhere }
pre { background: #f4f4f4; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>{{ title }}</h1>
{% if text is None %}
<p>{{ mails|length }} shown, newest first. Nothing here has left this machine.</p>
<table>
<tr><th>Received (UTC)</th><th>To</th><th>Subject</th></tr>
{% for mail in mails %}
<tr><td>{{ mail.received }}</td><td>{{ mail.to }}</td><td><a href="{{ mail.name }}">{{ mail.subject }}</a></td></tr>
{% empty %}
<tr><td colspan="3">No mail has been caught yet.</td></tr>
{% endfor %}
</table>
{% else %}
<p><a href=".">All mails</a></p>
<p>From: {{ mail.sender }}<br>To: {{ mail.to }}<br>Received: {{ mail.received }} UTC</p>
<pre>{{ text }}</pre>
{% endif %}
</body>
</html>
"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What the pages show of one mail."""

    name: str  # of its file
    received: str
    sender: str
    to: str  # the envelope's recipients
    subject: str


@staff_member_required
def list_mails(request: HttpRequest) -> HttpResponse:
    return _page(title="Caught mails", mails=list(_newest(folder())), text=None)


@staff_member_required
def show_mail(request: HttpRequest, name: str) -> HttpResponse:
    """Raises Http404 for a name that no caught mail has."""
    file = folder() / name
    if not NAME.fullmatch(name) or not file.is_file():
        raise Http404("There is no such mail.")
    message = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
    mail = _summary(name, message)
    return _page(title=mail.subject, mail=mail, text=_text(message))


def folder() -> Path:
    """Where the mails are. Raises Http404 when none are caught here."""
    configured: Path | None = getattr(settings, "CAUGHT_MAIL_DIR", None)
    if configured is None:
        raise Http404("No mails are caught here.")
    return configured


def _page(**values: Any) -> HttpResponse:
    response = HttpResponse(PAGE.render(Context(values)))
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _newest(folder: Path) -> Iterator[Mail]:
    names = sorted((file.name for file in folder.glob("*.eml")), reverse=True)
    for name in names[:SHOWN]:
        with (folder / name).open("rb") as file:
            yield _summary(name, BytesParser(policy=policy.default).parse(file, headersonly=True))


def _summary(name: str, message: EmailMessage) -> Mail:
    received = f"{name[:4]}-{name[4:6]}-{name[6:8]} {name[9:11]}:{name[11:13]}:{name[13:15]}"
    return Mail(
        name=name,
        received=received,
        sender=str(message["X-Envelope-From"] or ""),
        to=str(message["X-Envelope-To"] or ""),
        subject=str(message["Subject"] or "(no subject)"),
    )


def _text(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain", "html"))
    if body is None:
        return "(no text)"
    try:
        return str(body.get_content())
    except (LookupError, UnicodeError):  # a character set that nobody knows
        return bytes(body.get_payload(decode=True) or b"").decode(errors="replace")


urlpatterns = [
    path("", list_mails, name="caught_mails"),
    path("<str:name>", show_mail, name="caught_mail"),
]
