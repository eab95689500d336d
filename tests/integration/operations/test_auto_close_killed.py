"""auto_close in a process that is killed half-way."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from apps.helpdesk.models import Ticket
from apps.operations.models import JobNeed
from apps.operations.tasks import auto_close_jobs

from .company import NOW

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).with_name("killed_sweep.py")
Status = JobNeed.Status


def test_the_next_run_finishes_and_each_ticket_and_mail_exists_once(company, queued):
    rows = company.occurrences(5, on_expiry="RAISE_TICKET")
    killed = sweep_until_killed()
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert list(status_of(rows)) == [Status.AUTO_CLOSED] * 2 + [Status.ASSIGNED] * 3
    assert Ticket.objects.count() == len(queued("email")) == 2

    result = auto_close_jobs(now_iso=NOW.isoformat())

    assert (result["found"], result["closed"], result["tickets"], result["mails"]) == (3, 3, 3, 3)
    assert set(status_of(rows)) == {Status.AUTO_CLOSED}
    assert sorted(Ticket.objects.values_list("number", flat=True)) == [f"T-{n:06}" for n in range(1, 6)]
    mailed = [message["headers"]["kwargsrepr"] for message in queued("email")]
    assert [sum(f"'jobneed_id': {row.pk}," in text for text in mailed) for row in rows] == [1] * 5
    assert len(mailed) == 5


def sweep_until_killed() -> "subprocess.CompletedProcess[str]":
    """Run the script on the test's own database."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return subprocess.run(
        [sys.executable, SCRIPT, NOW.isoformat()],
        env={**os.environ, "DATABASE_URL": database.geturl(), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def status_of(rows):
    return JobNeed.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk").values_list("status", flat=True)
