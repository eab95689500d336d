"""A run that is killed: at most a repeat, with the same Message-ID."""

import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from .agency import MINUTE, NOW, statuses

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).with_name("killed_mailing.py")


def test_killed_at_any_step_each_report_is_mailed_and_a_repeat_has_its_id(
    agency, mail_server, mail_due, reports_root
) -> None:
    reports = agency.reports(4)  # killed: when claimed, when the server has taken it, before and after it is marked
    mail_until_killed(mail_server.port, reports_root)
    assert statuses(*reports) == ["SENDING", "SENDING", "SENDING", "SENT"]
    assert recipients_by_report(mail_server, reports) == [0, 1, 1, 1]

    present = timezone.now()  # the killed ones claimed by it
    assert mail_due(NOW, clock=lambda: present) == {}
    later = present + 15 * MINUTE + timedelta(seconds=1)
    assert mail_due(NOW, clock=lambda: later) == {"reclaimed": 3, "found": 3, "sent": 3, "mails": 2}

    assert statuses(*reports) == ["SENT"] * 4
    assert recipients_by_report(mail_server, reports) == [1, 2, 1, 1]
    assert sorted(Counter(mail.id for mail in mail_server.received).values()) == [1, 1, 1, 2]


def recipients_by_report(mail_server, reports) -> list[int]:
    names = Counter(name for mail in mail_server.received for name in mail.attachments)
    return [sum(count for name, count in names.items() if f"-{report.pk}." in name) for report in reports]


def mail_until_killed(port: int, root: Path) -> None:
    """Run the script on the test's own database."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    subprocess.run(
        [sys.executable, SCRIPT, str(port), str(root), NOW.isoformat()],
        env={**os.environ, "DATABASE_URL": database.geturl(), "PYTHONPATH": str(Path.cwd())},
        timeout=60,
        check=True,
    )
