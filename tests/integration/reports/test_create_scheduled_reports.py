"""create_scheduled_reports: what is due is made once, and a schedule that asks for what there is not is disabled."""

import csv
import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import redis
from celery.exceptions import SoftTimeLimitExceeded
from django.core import mail
from django.db import OperationalError

from apps.core import context
from apps.core.models import OutboxMessage
from apps.core.tasks import ReportTask
from apps.reports import files, making, services
from apps.reports.models import GeneratedReport, ReportSchedule
from apps.reports.tasks import create_scheduled_reports, send_report_disabled_email

from .firm import DAY, HOUR, MIDNIGHT, MINUTE, NOW, Firm

pytestmark = pytest.mark.django_db
published = pytest.mark.django_db(transaction=True)  # what is enqueued is only by a commit

Status = GeneratedReport.Status


def create(now=NOW, after=0):
    return create_scheduled_reports(now_iso=now.isoformat(), after=after)


def document(report):
    return json.loads(files.path_of(report).read_text())


def files_below(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def windows(schedule):
    return list(schedule.reports.order_by("window_until").values_list("window_from", "window_until"))


@pytest.fixture
def mailed(db):
    """How many mails about disabled schedules have been enqueued in the test's transaction."""
    return lambda: OutboxMessage.objects.filter(task="send_report_disabled_email").count()


def test_it_is_declared_as_the_timetable_and_the_operators_know_it():
    task = create_scheduled_reports
    assert (task.name, task.queue_name, task.repeatable) == ("create_scheduled_reports", "reports", True)
    assert (task.soft_time_limit, task.time_limit) == (600, 900)


def test_a_due_schedule_gets_a_file_and_a_row_and_moves_on(firm, reports_root):
    job = firm.job(name="Fire panel check")
    firm.occurrence(job, MIDNIGHT - HOUR, "COMPLETED")
    firm.occurrence(job, MIDNIGHT)  # is part of the next window
    schedule = firm.schedule()
    assert json.loads(json.dumps(create())) == {
        "generated": 1,
        "skipped": 0,
        "failed": [],
        "windows": 1,
        "resume_after": None,
    }
    report = GeneratedReport.objects.get()
    assert (report.schedule, report.status, report.rows, report.reason) == (schedule, Status.READY, 1, "")
    assert (report.window_from, report.window_until) == (MIDNIGHT - DAY, MIDNIGHT)
    assert report.send_at == MIDNIGHT + 7 * HOUR  # 07:00 in Kolkata
    content = files.path_of(report).read_bytes()
    assert (report.size, report.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert b"Fire panel check" in content
    assert files_below(reports_root) == [report.file]
    assert report.file.startswith(f"{firm.tenant.pk}/{schedule.pk}/20261124T183000Z-")
    schedule.refresh_from_db()
    assert (schedule.next_run_at, schedule.last_window_end, schedule.failures) == (MIDNIGHT + DAY, MIDNIGHT, 0)


@pytest.mark.parametrize("format_", ["PDF", "XLSX", "CSV", "HTML", "JSON"])
def test_every_format_is_made_also_of_nothing(firm, format_):
    schedule = firm.schedule(format=format_)
    assert create()["generated"] == 1
    report = schedule.reports.get()
    assert report.rows == 0
    assert report.is_empty
    path = files.path_of(report)
    assert path.suffix == f".{format_.lower()}"
    assert path.stat().st_size > 0
    if format_ == "CSV":
        [header] = csv.reader(path.read_text(encoding="utf-8-sig").splitlines())
        assert header[:3] == ["Site", "Task", "Priority"]


def test_what_is_not_due_is_left_alone(firm):
    firm.schedule(next_run_at=NOW + MINUTE)
    firm.schedule(enabled=False)
    gone = Firm("gone")
    gone.tenant.is_active = False
    gone.tenant.save()
    gone.schedule()
    assert create() == {"generated": 0, "skipped": 0, "failed": [], "windows": 0, "resume_after": None}
    assert not GeneratedReport.objects.exists()


def test_run_twice_it_makes_each_report_once(firm, reports_root):
    firm.schedule()
    assert create()["generated"] == 1
    assert create()["windows"] == create(NOW + 15 * MINUTE)["windows"] == 0
    assert len(files_below(reports_root)) == GeneratedReport.objects.count() == 1


def test_what_is_due_counts_from_the_firing_instant(firm):
    firm.schedule()
    with context.using(firing=(MIDNIGHT - MINUTE).isoformat()):
        assert create_scheduled_reports.apply().get()["windows"] == 0
    with context.using(firing=MIDNIGHT.isoformat()):
        assert create_scheduled_reports.apply().get()["generated"] == 1


def test_a_report_that_exists_is_kept_as_it_is(firm, reports_root):
    schedule = firm.schedule()
    create()
    before = GeneratedReport.objects.values().get()
    ReportSchedule.objects.filter(pk=schedule.pk).update(next_run_at=MIDNIGHT)  # by hand
    result = create(NOW + HOUR)
    assert (result["windows"], result["generated"]) == (1, 0)
    assert GeneratedReport.objects.values().get() == before
    assert files_below(reports_root) == [before["file"]]
    schedule.refresh_from_db()
    assert schedule.next_run_at == MIDNIGHT + DAY


def test_of_missed_windows_the_latest_three_are_made_oldest_first_and_one_line_counts_the_rest(firm, caplog):
    schedule = firm.schedule(next_run_at=MIDNIGHT - 5 * DAY)
    result = create()
    assert (result["generated"], result["skipped"], result["windows"]) == (3, 3, 6)
    made = list(schedule.reports.order_by("pk"))
    assert [report.window_until for report in made] == [MIDNIGHT - 2 * DAY, MIDNIGHT - DAY, MIDNIGHT]
    assert caplog.text.count("report.windows_skipped") == 1
    facts = [json.dumps(document(report)["facts"]) for report in made]
    assert ["3 earlier windows" in each for each in facts] == [True, False, False]
    assert {report.send_at for report in made} == {NOW, MIDNIGHT + 7 * HOUR}  # the late ones at once
    schedule.refresh_from_db()
    assert schedule.next_run_at == MIDNIGHT + DAY


def test_on_the_days_on_which_clocks_change_a_day_has_23_or_25_hours(db):
    firm = Firm("berlin", zone="Europe/Berlin")
    job = firm.job()
    for day, hours in ((datetime(2026, 3, 29, 22, tzinfo=UTC), 23), (datetime(2026, 10, 25, 23, tzinfo=UTC), 25)):
        schedule = firm.schedule(next_run_at=day)
        firm.occurrence(job, day - hours * HOUR)  # midnight and
        firm.occurrence(job, day - MINUTE)  # 23:59 are part of it,
        firm.occurrence(job, day - hours * HOUR - MINUTE)  # the minute before
        firm.occurrence(job, day)  # and the next midnight are not
        create(day + 5 * MINUTE)
        report = schedule.reports.get()
        assert (report.window_from, report.window_until) == (day - hours * HOUR, day)
        assert document(report)["rows"][0][3] == 2
        schedule.delete()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"type": "WEATHER"}, "There is no type of report 'WEATHER'"),
        ({"format": "DOC"}, "There is no format 'DOC'"),
        ({"parameters": {"colour": "red"}}, "has no parameter 'colour'; it has priorities"),
        ({"parameters": {"priorities": ["URGENT"]}}, "priorities cannot be 'URGENT'; it may be LOW, MEDIUM"),
        ({"parameters": {"priorities": "LOW"}}, "priorities must be a list"),
        ({"parameters": {"priorities": []}}, "priorities must be a list"),
        ({"parameters": [1]}, "must be a JSON object"),
        ({"parameters": {"someone@acme.example": 1}}, "no parameter '[e-mail]'"),
    ],
)
def test_what_cannot_be_made_fails_with_the_reason_and_is_not_tried_again(firm, reports_root, fields, said):
    schedule = firm.schedule()
    ReportSchedule.objects.filter(pk=schedule.pk).update(**fields)
    result = create()
    [failure] = result["failed"]
    assert failure["id"] == schedule.pk
    assert said in failure["reason"]
    report = schedule.reports.get()
    assert (report.status, report.reason, report.file) == (Status.FAILED, failure["reason"], "")
    schedule.refresh_from_db()
    assert (schedule.failures, schedule.enabled, schedule.next_run_at) == (1, True, MIDNIGHT + DAY)
    assert schedule.last_window_end is None  # a report that somebody asks for now has this time in it
    assert create()["windows"] == 0
    assert files_below(reports_root) == []


def test_another_tenants_site_is_refused_and_not_named(firm):
    schedule = firm.schedule()
    ReportSchedule.objects.filter(pk=schedule.pk).update(site=Firm("other").site)
    [failure] = create()["failed"]
    assert failure["reason"] == "The site belongs to another tenant."


def test_a_rhythm_that_cannot_be_read_fails_each_time_and_ends_disabled(firm, mailed):
    schedule = firm.schedule()
    ReportSchedule.objects.filter(pk=schedule.pk).update(cron="often")
    for number in (1, 2, 3):
        [failure] = create()["failed"]
        assert "five fields" in failure["reason"]
        schedule.refresh_from_db()
        assert (schedule.failures, schedule.enabled) == (number, number < 3)
    assert create()["failed"] == []
    assert mailed() == 1
    assert not schedule.reports.exists()


@published
def test_three_failures_in_a_row_disable_a_schedule_and_its_owner_is_told(firm, queued):
    schedule = firm.schedule(parameters={"colour": "red"})
    for day in range(2):
        create(NOW + day * DAY)
    assert queued("email") == []
    create(NOW + 2 * DAY)
    schedule.refresh_from_db()
    assert (schedule.failures, schedule.enabled) == (3, False)
    [job] = queued("email")
    assert (job["task"], job["tenant"]) == ("send_report_disabled_email", str(firm.tenant.pk))
    assert create(NOW + 3 * DAY)["windows"] == 0
    assert len(queued("email")) == 1

    arguments = {key: job[key] for key in ("schedule_id", "at", "reason")}
    with context.using(tenant_id=firm.tenant.pk):
        for _ in range(2):
            assert send_report_disabled_email.apply(kwargs=arguments).get() == {"recipients": 1}
    [sent] = mail.outbox
    assert sent.to == [firm.owner.email]
    assert sent.subject == "Reports are no longer made: Daily report"
    assert "no parameter 'colour'" in sent.body


def test_three_windows_that_fail_in_one_run_count_as_three(firm, mailed):
    schedule = firm.schedule(parameters={"colour": "red"}, next_run_at=MIDNIGHT - 2 * DAY)
    assert len(create()["failed"]) == 3
    schedule.refresh_from_db()
    assert not schedule.enabled
    assert mailed() == 1


def test_a_report_that_is_made_ends_the_row_of_failures(firm):
    schedule = firm.schedule(parameters={"colour": "red"})
    create(NOW)
    create(NOW + DAY)
    ReportSchedule.objects.filter(pk=schedule.pk).update(parameters={})
    create(NOW + 2 * DAY)
    schedule.refresh_from_db()
    assert (schedule.failures, schedule.enabled) == (0, True)


@pytest.mark.parametrize("owner", ["none", "inactive", "without an address"])
def test_where_the_owner_cannot_be_told_the_admins_are(firm, owner):
    schedule = firm.schedule(parameters={"colour": "red"}, enabled=False)
    if owner == "none":
        ReportSchedule.objects.filter(pk=schedule.pk).update(owner=None)
    firm.owner.is_active = owner != "inactive"
    firm.owner.email = "" if owner == "without an address" else firm.owner.email
    firm.owner.save()
    sent = services.disabled_mail(schedule.pk, at=NOW.isoformat(), reason="r")
    assert sent.to == (firm.admin.email,)
    firm.admin.delete()
    assert services.disabled_mail(schedule.pk, at=NOW.isoformat(), reason="r") is None


def test_nobody_is_told_of_a_schedule_that_is_enabled_again(firm):
    assert services.disabled_mail(firm.schedule().pk, at=NOW.isoformat(), reason="r") is None


def test_a_window_that_failed_can_be_made_later(firm):
    schedule = firm.schedule(parameters={"colour": "red"})
    create()
    ReportSchedule.objects.filter(pk=schedule.pk).update(parameters={}, next_run_at=MIDNIGHT)
    assert create()["generated"] == 1
    report = schedule.reports.get()
    assert (report.status, report.reason) == (Status.READY, "")
    assert files.path_of(report).exists()


def test_one_that_fails_does_not_stop_the_others(firm):
    bad, good = firm.schedule(parameters={"colour": "red"}), firm.schedule()
    result = create()
    assert (result["generated"], [failure["id"] for failure in result["failed"]]) == (1, [bad.pk])
    assert good.reports.get().status == Status.READY


def test_an_error_of_ours_fails_without_quoting_rows(firm, monkeypatch, caplog):
    schedule = firm.schedule()

    def broken(*_, **__):
        raise KeyError("Gus Guard")

    monkeypatch.setattr(making, "render", broken)
    [failure] = create()["failed"]
    assert failure["reason"] == "It could not be made (KeyError)."
    assert schedule.reports.get().status == Status.FAILED
    assert "report.not_made" in caplog.text
    assert "Guard" not in caplog.text


def test_a_disk_that_is_full_is_no_fault_of_the_schedule(firm, reports_root, monkeypatch):
    schedule, other = firm.schedule(), firm.schedule()
    render = making.render
    disk = iter([True])

    def fill(content, format_, path, **options):
        if next(disk, False):
            path.write_text("half of it")
            raise OSError(28, "No space left on device")
        render(content, format_, path, **options)

    monkeypatch.setattr(making, "render", fill)
    result = create()
    assert (result["generated"], [failure["id"] for failure in result["failed"]]) == (1, [schedule.pk])
    schedule.refresh_from_db()
    assert (schedule.failures, schedule.next_run_at) == (0, MIDNIGHT)
    assert files_below(reports_root) == [other.reports.get().file]  # nothing is left of the other one
    assert create(NOW + 15 * MINUTE)["generated"] == 1


def test_a_database_that_goes_away_ends_the_run_and_the_next_one_makes_it(firm, reports_root, monkeypatch):
    firm.schedule()

    def gone(*_, **__):
        raise OperationalError("the connection is closed")

    with monkeypatch.context() as patched:
        patched.setattr(making, "render", gone)
        with pytest.raises(OperationalError):
            create()
    assert not GeneratedReport.objects.exists()
    assert create()["generated"] == 1
    assert len(files_below(reports_root)) == 1


@published
def test_a_report_that_meets_the_soft_limit_fails_and_the_others_go_on_as_a_new_job(firm, queued, monkeypatch):
    slow, other = firm.schedule(), firm.schedule()
    clock = iter([0, 600])
    monkeypatch.setattr(services, "make_due", partial(services.make_due, clock=lambda: next(clock)))

    def too_long(*_, **__):
        raise SoftTimeLimitExceeded

    with monkeypatch.context() as patched:
        patched.setattr(making, "render", too_long)
        result = create()
    assert [failure["id"] for failure in result["failed"]] == [slow.pk]
    assert "took too long" in slow.reports.get().reason
    [job] = queued("reports")
    assert job == {
        "task": "create_scheduled_reports",
        "tenant": None,
        "now_iso": NOW.isoformat(),
        "after": slow.pk,
    }
    monkeypatch.undo()
    assert create()["generated"] == 1
    assert other.reports.get().status == Status.READY


@published
def test_a_run_that_has_used_its_time_goes_on_in_the_middle_of_a_schedule(firm, queued, monkeypatch):
    first, second = firm.schedule(next_run_at=MIDNIGHT - 2 * DAY), firm.schedule()
    clock = iter(range(0, 10_000, 200))  # 300 seconds are allowed
    monkeypatch.setattr(services, "make_due", partial(services.make_due, clock=lambda: next(clock)))
    results = [create()]
    while results[-1]["resume_after"] is not None:
        results.append(create(after=queued("reports")[-1]["after"]))
    assert [result["generated"] for result in results] == [2, 2, 0]
    assert [result["resume_after"] for result in results] == [first.pk - 1, second.pk, None]
    assert (first.reports.count(), second.reports.count()) == (3, 1)


def test_progress_says_how_many_schedules_are_done_and_what_is_being_made(firm):
    job = firm.job()
    firm.occurrence(job, MIDNIGHT - HOUR)
    schedules = [firm.schedule(), firm.schedule()]
    seen = []
    services.make_due(now=NOW, tell=pytest.fail, progress=lambda *told: seen.append(told))
    assert all(0 <= done <= total == 2 for done, total, _ in seen)
    assert {what for _, _, what in seen} >= {f"schedule {schedule.pk}: 1 of 1 rows" for schedule in schedules}
    assert seen[-1] == (2, 2, "")


def test_a_server_of_results_that_is_down_costs_the_progress_and_no_report(firm, monkeypatch, caplog):
    firm.schedule()
    firm.schedule()

    def down(*_):
        raise redis.ConnectionError

    monkeypatch.setattr(ReportTask, "progress", down)
    assert create()["generated"] == 2
    assert caplog.text.count("report.progress_not_shown") == 1


def test_a_new_schedule_is_due_with_the_first_window_that_ends_after_it_was_made(firm, time_machine):
    time_machine.move_to(NOW, tick=False)
    schedule = firm.schedule(next_run_at=None)
    assert schedule.next_run_at == MIDNIGHT + DAY
    schedule.cron = "0 6 * * *"
    schedule.save()
    assert schedule.next_run_at == MIDNIGHT + 6 * HOUR
    schedule.name = "Another name"
    time_machine.move_to(NOW + 10 * DAY, tick=False)
    schedule.save()
    assert schedule.next_run_at == MIDNIGHT + 6 * HOUR
    ReportSchedule.objects.filter(pk=schedule.pk).update(enabled=False, failures=3)
    schedule.refresh_from_db()
    schedule.enabled = True
    schedule.save(update_fields=["enabled"])
    schedule.refresh_from_db()
    assert (schedule.next_run_at, schedule.failures) == (MIDNIGHT + 10 * DAY + 6 * HOUR, 0)


def test_a_schedule_without_a_time_gets_one(firm):
    schedule = firm.schedule()
    ReportSchedule.objects.filter(pk=schedule.pk).update(next_run_at=None)
    assert create(NOW + timedelta(hours=3))["windows"] == 0
    schedule.refresh_from_db()
    assert schedule.next_run_at == MIDNIGHT + DAY
