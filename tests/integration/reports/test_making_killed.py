"""create_scheduled_reports in a process that is killed on the way."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from apps.reports import files, services
from apps.reports.models import GeneratedReport

from .firm import DAY, MIDNIGHT, NOW

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).with_name("killed_making.py")


@pytest.fixture(scope="module")
def killed(django_db_setup):
    """Runs in a process that is killed, on the test's own database."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    script = subprocess.Popen(
        [sys.executable, SCRIPT],
        env={**os.environ, "DATABASE_URL": database.geturl(), "PYTHONPATH": str(Path.cwd())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(*words):
        script.stdin.write("\t".join(words) + "\n")
        script.stdin.flush()
        return int(script.stdout.readline())

    with script:
        yield run
        script.stdin.close()


@pytest.mark.parametrize(
    ("place", "made_before", "left_over"),
    [
        ("in the middle of the file", 0, [".part"]),
        ("behind the file", 0, [".json"]),
        ("behind the row", 0, [".json"]),  # which is not committed
        ("in the middle of the next one", 1, [".part"]),  # the progress of its rows is what kills it
    ],
)
def test_the_next_run_makes_the_same_report_and_nothing_is_left_over(
    firm, reports_root, killed, place, made_before, left_over
):
    schedules = [firm.schedule(), firm.schedule()]
    assert killed(place, NOW.isoformat(), str(reports_root)) == signal.SIGKILL
    assert GeneratedReport.objects.count() == made_before
    named = {report.file for report in GeneratedReport.objects.all()}
    orphans = [path for path in files_below(reports_root) if path not in named]
    assert [Path(path).suffix for path in orphans] == left_over

    outcome = services.make_due(now=NOW + timedelta(minutes=15), tell=pytest.fail)

    assert outcome.counts["generated"] == 2 - made_before
    for schedule in schedules:
        report = schedule.reports.get()
        assert (report.window_from, report.window_until) == (MIDNIGHT - DAY, MIDNIGHT)
        assert files.path_of(report).stat().st_size == report.size
    services.clean_up(now=timezone.now(), kept=90 * DAY)
    assert orphans[0] in files_below(reports_root)  # it might be that of a report in the making
    assert services.clean_up(now=timezone.now() + 2 * DAY, kept=90 * DAY).orphans == 1
    assert files_below(reports_root) == sorted(report.file for report in GeneratedReport.objects.all())


def files_below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
