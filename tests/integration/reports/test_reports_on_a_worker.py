"""The jobs of reports on a real worker, and many rows in bounded memory."""

import gc
import os
from urllib.parse import urlsplit

import psutil
import pytest
from celery.result import denied_join_result
from django.db import connection

from apps.helpdesk.models import Ticket
from apps.reports import files, services
from apps.reports.models import GeneratedReport
from apps.reports.tasks import create_scheduled_reports

from ..workers import eventually
from .firm import DAY, MIDNIGHT, NOW

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_firing_makes_the_reports_with_progress_that_can_be_seen(firm, worker, reports_root):
    schedules = [firm.schedule(format=format_) for format_ in ("PDF", "CSV")]
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    running = worker(
        "--queues=reports",
        "--concurrency=1",
        environment={"DATABASE_URL": database, "REPORTS_DIR": str(reports_root)},
    )
    result = create_scheduled_reports.apply_async(headers={"bgjobs_firing": NOW.isoformat()})
    assert result.get(timeout=60) == {
        "generated": 2,
        "skipped": 0,
        "failed": [],
        "windows": 2,
        "resume_after": None,
    }
    eventually(lambda: any(event["event"] == "job.succeeded" for event in running.events()))
    for schedule in schedules:
        report = schedule.reports.get()
        assert (report.window_from, report.window_until) == (MIDNIGHT - DAY, MIDNIGHT)
        assert files.path_of(report).stat().st_size == report.size > 0


def test_10_000_tickets_are_listed_in_bounded_memory_and_few_statements(firm, django_assert_max_num_queries):
    Ticket.objects.bulk_create(
        (
            Ticket(
                tenant=firm.tenant,
                site=firm.site,
                number=f"T-{number:06}",
                category="Door",
                description="It does not close. " * 10,
                created_at=MIDNIGHT - DAY,
                cycle_started_at=MIDNIGHT - DAY,
            )
            for number in range(10_000)
        ),
        batch_size=2000,
    )
    firm.schedule("TICKET_LIST", format="CSV")
    gc.collect()
    memory = [resident_mib()]
    with denied_join_result(), django_assert_max_num_queries(20):
        services.make_due(now=NOW, tell=pytest.fail, progress=lambda *told: memory.append(resident_mib()))
    report = GeneratedReport.objects.get()
    assert (report.rows, report.status) == (10_000, "READY")
    assert len(memory) > 10
    assert max(memory) - memory[0] < 25


def resident_mib():
    return psutil.Process().memory_info().rss / 1024**2
