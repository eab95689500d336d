"""Runs at the same time, beside each other and beside who changes schedules."""

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection, transaction

from apps.reports import claims
from apps.reports.models import GeneratedReport

from ...threads import at_once
from .agency import MINUTE, NOW, statuses

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_runs_at_once_mail_each_report_once(agency, mail_server, mail_due) -> None:
    reports = agency.reports(25)
    counts = at_once(mail_due, mail_due, mail_due)
    total = sum((Counter(count) for count in counts), Counter())
    assert total["sent"] == len(reports) == len(mail_server.received)
    assert len({mail.id for mail in mail_server.received}) == len(reports)
    assert total["found"] == total["sent"] + total["skipped"]
    assert statuses(*reports) == ["SENT"] * len(reports)


def test_a_claim_that_had_to_wait_for_another_one_is_none(agency) -> None:
    """The second update waits for the first one's transaction, and then looks at the row again."""
    report = agency.report()
    claimed = threading.Event()
    waiting = threading.Event()

    def hold() -> Any:
        with transaction.atomic():
            first = claims.take(report.pk, now=NOW, at=NOW)
            claimed.set()
            assert waiting.wait(10)
            wait_until_blocked()
            return first

    def come_second() -> Any:
        assert claimed.wait(10)
        waiting.set()
        return claims.take(report.pk, now=NOW, at=NOW + MINUTE)

    first, second = at_once(hold, come_second)
    assert (first.report.pk, second) == (report.pk, None)
    assert GeneratedReport.objects.get(pk=report.pk).sending_since == NOW


def wait_until_blocked() -> None:
    """Until another session of this database waits for a lock."""
    with connection.cursor() as cursor:
        for _ in range(1000):
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("Nobody waited.")


def test_two_runs_at_once_expire_each_report_once(agency, mail_due, mail_server) -> None:
    from apps.core.models import OutboxMessage

    late = [agency.report(send_at=NOW - 800 * MINUTE) for _ in range(10)]
    counts = at_once(mail_due, mail_due)
    assert sum(count.get("expired", 0) for count in counts) == len(late)
    assert OutboxMessage.objects.filter(task="send_report_expiry_email").count() in (1, 2)
