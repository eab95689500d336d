"""cleanup_sent_reports: what is old goes with its file, and nothing is left over of anything."""

import os
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import context
from apps.reports import cleanup, files, services
from apps.reports.models import GeneratedReport
from apps.reports.tasks import cleanup_sent_reports, create_scheduled_reports

from .firm import DAY, HOUR, MIDNIGHT, NOW, Firm

pytestmark = pytest.mark.django_db

KEPT = 90 * DAY
Status = GeneratedReport.Status


@pytest.fixture
def made(firm):
    """Makes a report of a window that many days ago, with a status; its file is as old as the row."""

    def make(days=100, status=Status.SENT, owner=firm):
        schedule = owner.schedule()
        create_scheduled_reports(now_iso=NOW.isoformat())
        GeneratedReport.objects.filter(schedule=schedule).update(created_at=NOW - days * DAY, status=status)
        report = schedule.reports.get()
        age(files.path_of(report), days)
        return report

    return make


def age(path, days):
    os.utime(path, ((NOW - days * DAY).timestamp(),) * 2)


def test_it_is_declared_as_the_timetable_and_the_operators_know_it():
    task = cleanup_sent_reports
    assert (task.name, task.queue_name, task.repeatable) == ("cleanup_sent_reports", "maintenance", True)


@pytest.mark.parametrize("status", ["SENT", "FAILED", "EXPIRED"])
def test_what_is_old_goes_with_its_file(made, reports_root, status):
    made(status=status)
    kept = made(days=89, status=status)
    with context.using(firing=NOW.isoformat()):
        result = cleanup_sent_reports.apply().get()
    assert result == {"reports": 1, "files": 1, "orphans": 0, "failed": 0}
    assert GeneratedReport.objects.get() == kept
    assert [path for path in reports_root.rglob("*") if path.is_file()] == [files.path_of(kept)]


@pytest.mark.parametrize("status", ["READY", "SENDING"])
def test_what_still_waits_to_be_mailed_stays(made, status):
    report = made(status=status)
    assert services.clean_up(now=NOW, kept=KEPT).reports == 0
    assert files.path_of(report).exists()


def test_the_setting_says_how_long(made, settings):
    made(days=8)
    settings.REPORTS_KEPT_DAYS = 7
    with context.using(firing=NOW.isoformat()):
        assert cleanup_sent_reports.apply().get()["reports"] == 1


def test_killed_between_file_and_row_the_next_run_removes_the_row(made, monkeypatch):
    report = made()

    class Killed(BaseException):
        pass

    def remove_and_die(report):
        files.path_of(report).unlink()
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(cleanup.files, "remove", remove_and_die)
        with pytest.raises(Killed):
            services.clean_up(now=NOW, kept=KEPT)
    assert GeneratedReport.objects.get() == report
    cleaned = services.clean_up(now=NOW, kept=KEPT)
    assert (cleaned.reports, cleaned.files) == (1, 0)
    assert not GeneratedReport.objects.exists()


def test_run_twice_the_second_run_finds_nothing(made):
    made()
    services.clean_up(now=NOW, kept=KEPT)
    assert services.clean_up(now=NOW, kept=KEPT) == cleanup.Cleaned(reports=0, files=0, orphans=0, failed=0)


def test_a_file_that_cannot_be_removed_keeps_its_row_and_stops_nothing(made, monkeypatch):
    stuck, other = made(), made()
    remove = files.remove

    def sometimes(report):
        if report.pk == stuck.pk:
            raise PermissionError
        return remove(report)

    with monkeypatch.context() as patched:
        patched.setattr(cleanup.files, "remove", sometimes)
        assert services.clean_up(now=NOW, kept=KEPT) == cleanup.Cleaned(reports=1, files=1, orphans=0, failed=1)
    assert GeneratedReport.objects.get() == stuck
    assert not files.path_of(other).exists()
    assert services.clean_up(now=NOW, kept=KEPT).reports == 1


def test_a_row_whose_file_is_elsewhere_goes_and_the_file_stays(made, tmp_path):
    report = made()
    outside = tmp_path / "outside.json"
    outside.write_text("not ours")
    GeneratedReport.objects.filter(pk=report.pk).update(file="../outside.json")
    assert services.clean_up(now=NOW, kept=KEPT).reports == 1
    assert outside.exists()


def test_files_without_a_row_go_when_they_are_a_day_old(made, reports_root):
    report = made(days=2)
    folder = files.path_of(report).parent
    old, new, unfinished = folder / "old.json", folder / "new.json", folder / "x.json.part"
    for path, days in ((old, 2), (new, 0.9), (unfinished, 2)):
        path.write_text("x")
        age(path, days)
    assert services.clean_up(now=NOW, kept=KEPT).orphans == 2
    assert sorted(folder.iterdir()) == sorted([files.path_of(report), new])


def test_files_of_schedules_and_tenants_that_are_deleted_go_with_their_folders(made, reports_root):
    other = Firm("other")
    mine, others = made(days=2), made(days=2, owner=other)
    folders = [files.path_of(report).parent for report in (mine, others)]
    mine.schedule.delete()
    other.tenant.delete()
    assert services.clean_up(now=NOW, kept=KEPT).orphans == 2
    for folder in folders:
        age(folder, 2)
    services.clean_up(now=NOW, kept=KEPT)
    assert not any(folder.exists() for folder in folders)


def test_what_we_have_not_named_is_left_alone(made, reports_root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    made(days=2)
    left = [reports_root / "README", reports_root / "lost+found" / "1" / "x", outside / "x"]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        age(path, 5)
    (reports_root / "99").symlink_to(tmp_path)
    (reports_root / "98").mkdir()
    (reports_root / "98" / "1").symlink_to(outside)
    assert services.clean_up(now=NOW, kept=KEPT).orphans == 0
    assert all(path.exists() for path in left)


def test_many_go_in_portions_with_few_statements(firm, monkeypatch):
    monkeypatch.setattr(cleanup, "PORTION", 50)
    schedule = firm.schedule()
    GeneratedReport.objects.bulk_create(
        GeneratedReport(
            schedule=schedule,
            window_from=MIDNIGHT - (n + 1) * HOUR,
            window_until=MIDNIGHT - n * HOUR,
            format="CSV",
            status=Status.SENT,
            send_at=MIDNIGHT,
            created_at=NOW - timedelta(days=91),
        )
        for n in range(120)
    )
    with CaptureQueriesContext(connection) as queries:
        assert services.clean_up(now=NOW, kept=KEPT).reports == 120
    assert len(queries) <= 3 * 4 + 1


def test_without_a_folder_there_is_nothing_to_do(db):
    assert services.clean_up(now=NOW, kept=KEPT) == cleanup.Cleaned(reports=0, files=0, orphans=0, failed=0)
