"""A mail server and a tenant with reports.

Pytest reads this file before Django is set up when it is given this folder, so models are imported in the fixtures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from apps.core.mail import OutgoingMail
from apps.core.testing import run_jobs

from .mail_server import MailServer

if TYPE_CHECKING:
    from .agency import Agency

__all__ = ["run_jobs"]


@pytest.fixture(autouse=True)
def reports_root(settings: Any, tmp_path: Path) -> Path:
    settings.REPORTS_ROOT = tmp_path / "reports"
    settings.PUBLIC_URL = "https://jobs.example.com"
    return tmp_path / "reports"


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """A server to which Django's mails really go."""
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 10
    yield server
    server.stop()


@pytest.fixture
def agency(db: None) -> Agency:
    from .agency import Agency

    return Agency()


@pytest.fixture
def mail_due() -> Callable[..., dict[str, Any]]:
    """Mails what is due at an instant, which is also the present; returns what was counted, without zeros.

    `meanwhile(mail)` is called before each mail is sent.
    """
    from apps.reports import mailing
    from apps.reports.mail_tasks import enqueue_expiry_mail, send_generated_report_on_mail

    from .agency import NOW

    def run(
        now: datetime = NOW,
        *,
        clock: Callable[[], datetime] | None = None,
        meanwhile: Callable[[OutgoingMail], object] = lambda _: None,
        **options: Any,
    ) -> dict[str, Any]:
        def send(mail: OutgoingMail) -> int:
            meanwhile(mail)
            return send_generated_report_on_mail.send_mail(mail)

        post = mailing.Post(
            send=send,
            tell_of_expiry=enqueue_expiry_mail,
            clock=clock or (lambda: now),
        )
        outcome = mailing.mail_due(now=now, post=post, **{"budget_seconds": 3600, **options})
        return {name: count for name, count in outcome.counts.items() if count} | {
            name: value for name in ("server_down", "resume_after") if (value := getattr(outcome, name))
        }

    return run
