"""Generating occurrences from templates."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection

from apps.operations.models import ChecklistItem, Job, JobNeed, Reminder
from apps.operations.services import plan_other_work, plan_ppm
from apps.organization.models import Asset, Group, Holiday

from .company import HOUR, NOW, Company

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NEVER_TWICE = {"created", "checkpoints", "reminders", "replaced"}


def planned_at(job):
    rows = JobNeed.objects.filter(job=job, parent=None).order_by("planned_at")
    return [f"{moment:%m-%d %H:%M}" for moment in rows.values_list("planned_at", flat=True)]


def test_ppm_is_planned_for_30_days_and_everything_else_for_2(company):
    jobs = {kind: company.job(kind=kind, cron="0 9 * * *") for kind in Job.Kind.values}
    assert plan_ppm(now=NOW).counts["created"] == 30
    assert plan_other_work(now=NOW).counts["created"] == 2 * 4
    for kind, job in jobs.items():
        assert job.occurrences.count() == (30 if kind == "PPM" else 2)
    assert JobNeed.objects.latest("planned_at").planned_at < NOW + 30 * DAY


def test_times_are_those_of_the_site_and_stored_in_utc(company):
    job = company.job(cron="0 9 * * *")  # Kolkata is five and a half hours ahead
    plan_other_work(now=NOW)
    assert planned_at(job) == ["11-24 03:30", "11-25 03:30"]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 3, 7, 15, tzinfo=UTC), ["03-08 13:00", "03-09 13:00"]),
        (datetime(2026, 10, 30, 15, tzinfo=UTC), ["10-31 13:00", "11-01 14:00"]),
    ],
    ids=["clocks go forward", "clocks go back"],
)
def test_nine_oclock_stays_nine_oclock_when_the_clocks_change(db, now, expected):
    job = Company(zone="America/New_York").job(cron="0 9 * * *", valid_from=now)
    plan_other_work(now=now)
    assert planned_at(job) == expected


def test_an_occurrence_has_what_its_template_says(company):
    team = Group.objects.create(tenant=company.tenant, name="Team")
    job = company.job(
        cron="0 9 * * *",
        plan_minutes=20,
        grace_minutes=5,
        expiry_minutes=35,
        remind_minutes=90,
        assignee_group=team,
        checklist=["Oil", "Fuel"],
    )
    outcome = plan_other_work(now=NOW)
    assert outcome.counts == {"templates": 1, "created": 2, "reminders": 2}
    assert outcome.errors == []
    first = JobNeed.objects.earliest("planned_at")
    assert (first.job, first.site, first.asset, first.parent) == (job, company.site, company.asset, None)
    assert (first.assignee_person, first.assignee_group, first.status) == (None, team, "ASSIGNED")
    assert (first.performed_at, first.closed_by_server, first.added_by_hand) == (None, False, False)
    assert first.expires_at - first.planned_at == HOUR
    assert list(first.checklist.values_list("position", "text", "is_done")) == [(1, "Oil", False), (2, "Fuel", False)]
    [reminder] = first.reminders.all()
    assert (reminder.remind_at, reminder.status, reminder.attempts) == (first.planned_at - 1.5 * HOUR, "PENDING", 0)
    assert ChecklistItem.objects.count() == 4


def test_a_tour_has_its_checkpoints_in_order_and_expires_with_the_last(company):
    other = Asset.objects.create(site=company.site, code="G1", name="Gate")
    tour = company.tour("Gate", "Fence", "Roof", checklist=["Signed"])
    first, second, third = tour.checkpoints.order_by("seqno")
    Job.objects.filter(pk=first.pk).update(seqno=9, asset=other)  # the gate comes last now
    outcome = plan_other_work(now=NOW)
    assert outcome.counts == {"templates": 1, "created": 2, "checkpoints": 6, "reminders": 2}
    root = JobNeed.objects.filter(parent=None).earliest("planned_at")
    rows = list(root.checkpoints.order_by("planned_at"))
    assert [row.job for row in rows] == [second, third, first]
    assert [row.planned_at - root.planned_at for row in rows] == [timedelta(minutes=n) for n in (0, 10, 20)]
    assert {row.expires_at - row.planned_at for row in rows} == {timedelta(minutes=70)}
    assert root.expires_at == rows[-1].expires_at
    assert [row.asset for row in rows] == [company.asset, company.asset, other]
    assert [list(row.checklist.values_list("text", flat=True)) for row in rows] == [["Seen"]] * 3
    assert list(root.checklist.values_list("text", flat=True)) == ["Signed"]


def test_checkpoints_that_are_not_in_use_are_left_out(company):
    scrapped = Asset.objects.create(site=company.site, code="X", name="Scrap", status="SCRAPPED")
    tour = company.tour("Gate", "Fence", "Roof")
    gate, fence, _ = tour.checkpoints.order_by("seqno")
    Job.objects.filter(pk=gate.pk).update(enabled=False)
    Job.objects.filter(pk=fence.pk).update(asset=scrapped)
    plan_other_work(now=NOW)
    assert set(JobNeed.objects.exclude(parent=None).values_list("job__name", flat=True)) == {"Roof"}


def test_what_is_not_in_use_has_no_occurrences(company):
    scrapped = Asset.objects.create(site=company.site, code="X", name="Scrap", status="SCRAPPED")
    daily = {"cron": "0 9 * * *"}
    company.job(asset=scrapped, **daily)
    company.job(enabled=False, **daily)
    company.job()  # planned by hand
    company.job(valid_until=NOW, **daily)
    company.job(valid_from=NOW + 40 * DAY, **daily)
    sleeping = Company("sleeping")
    sleeping.job(**daily)
    sleeping.tenant.is_active = False
    sleeping.tenant.save()
    outcome = plan_other_work(now=NOW)
    assert outcome.counts == {"templates": 3, "skipped": 1}
    assert not JobNeed.objects.exists()


def test_it_is_planned_while_it_is_valid(company):
    job = company.job(
        kind="PPM",
        cron="0 9 * * *",
        valid_from=datetime(2026, 11, 25, tzinfo=UTC),
        valid_until=datetime(2026, 11, 27, 3, 30, tzinfo=UTC),
    )
    plan_ppm(now=NOW)
    assert planned_at(job) == ["11-25 03:30", "11-26 03:30"]
    job.refresh_from_db()
    assert job.last_generated_until == job.valid_until


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("KEEP", ["11-24 03:30", "11-25 03:30"]),
        ("SKIP", ["11-25 03:30"]),
        ("NEXT_WORKDAY", ["11-25 03:30"]),  # where it is due anyway
    ],
)
def test_holidays_of_the_site_and_of_the_tenant_count_and_no_others(company, policy, expected):
    other = Company("other")
    tuesday, wednesday = date(2026, 11, 24), date(2026, 11, 25)
    Holiday.objects.create(tenant=company.tenant, site=company.site, date=tuesday)
    Holiday.objects.create(tenant=other.tenant, date=wednesday)
    elsewhere = company.site.__class__.objects.create(tenant=company.tenant, code="S2", name="South gate")
    Holiday.objects.create(tenant=company.tenant, site=elsewhere, date=wednesday)
    job = company.job(cron="0 9 * * *", holiday_policy=policy)
    plan_other_work(now=NOW)
    assert planned_at(job) == expected


def test_a_holiday_that_comes_every_year_counts_every_year(company):
    Holiday.objects.create(tenant=company.tenant, date=date(2000, 11, 24), recurring=True)
    job = company.job(cron="0 9 * * *", holiday_policy="SKIP")
    plan_other_work(now=NOW)
    assert planned_at(job) == ["11-25 03:30"]


def test_a_second_run_creates_nothing(company):
    company.tour("Gate", "Fence", checklist=["Signed"])
    plan_other_work(now=NOW)
    before = contents()
    for _ in range(2):
        assert not NEVER_TWICE & set(plan_other_work(now=NOW).counts)
    assert contents() == before


def test_a_run_that_has_forgotten_what_it_made_creates_nothing_either(company):
    tour = company.tour("Gate", "Fence")
    plan_other_work(now=NOW)
    before = contents()
    Job.objects.filter(pk=tour.pk).update(last_generated_until=None)
    assert not NEVER_TWICE & set(plan_other_work(now=NOW).counts)
    assert contents() == before


def test_the_next_run_goes_on_where_the_last_one_ended(company):
    job = company.job(cron="0 */6 * * *")
    made = plan_other_work(now=NOW).counts["created"]
    made += plan_other_work(now=NOW + 8 * HOUR).counts["created"]
    assert made == job.occurrences.count() == 10
    moments = sorted(job.occurrences.values_list("planned_at", flat=True))
    assert {later - one for one, later in pairwise(moments)} == {6 * HOUR}


def test_after_an_outage_it_goes_on_from_now(company):
    job = company.job(cron="0 9 * * *")
    plan_other_work(now=NOW)
    plan_other_work(now=NOW + 10 * DAY)
    assert planned_at(job) == ["11-24 03:30", "11-25 03:30", "12-04 03:30", "12-05 03:30"]


def test_what_a_person_took_away_stays_away(company):
    job = company.job(cron="0 9 * * *")
    plan_other_work(now=NOW)
    job.occurrences.earliest("planned_at").delete()
    plan_other_work(now=NOW)
    assert planned_at(job) == ["11-25 03:30"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cron": "61 9 * * *"}, "CronError: '61 9 * * *' is no cron: bad minute."),
        ({"cron": "0 9 * *"}, "five fields"),
        ({"cron": "* * * * *", "kind": "PPM"}, "TooManyOccurrencesError: The template is due too often"),
        ({"cron": "0 9 * * *", "plan_minutes": 2**31 - 1, "grace_minutes": 2**31 - 1}, "OverflowError"),
        ({"cron": "0 9 * * *", "timezone": "Mars/Olympus"}, "ZoneInfoNotFoundError"),
    ],
)
def test_a_template_that_cannot_be_planned_is_reported_and_the_rest_goes_on(company, fields, reason):
    other = Company("other")
    if "timezone" in fields:
        company.site.timezone = fields.pop("timezone")
        company.site.save()
    kind = fields.pop("kind", "TASK")
    bad = company.job(kind=kind, **fields)
    good = other.job(kind=kind, cron="0 9 1 * *" if kind == "PPM" else "0 9 * * *")
    outcome = plan_ppm(now=NOW) if kind == "PPM" else plan_other_work(now=NOW)
    assert (outcome.counts["templates"], outcome.counts["failed"]) == (2, 1)
    [error] = outcome.errors
    assert error["id"] == bad.pk
    assert reason in error["reason"]
    assert good.occurrences.exists()
    assert not bad.occurrences.exists()


def test_a_row_that_the_database_refuses_costs_one_template(company):
    bad, *good = [company.tour("Gate") for _ in range(3)]
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE operations_jobneed ADD CONSTRAINT refused CHECK (job_id <> {bad.pk}) NOT VALID")
    outcome = plan_other_work(now=NOW)
    assert outcome.counts == {"templates": 3, "failed": 1, "created": 4, "checkpoints": 4, "reminders": 4}
    assert [error["id"] for error in outcome.errors] == [bad.pk]
    assert "refused" in outcome.errors[0]["reason"]
    assert all(job.occurrences.count() == 2 for job in good)


def test_a_reminder_whose_time_has_passed_already_is_due_at_once(company):
    company.job(cron="30 17 * * *", remind_minutes=60)  # 12:00 UTC, this very moment
    plan_other_work(now=NOW)
    assert Reminder.objects.filter(remind_at__lte=NOW).count() == 1


def contents():
    tables = (
        JobNeed.objects.values_list("pk", "job", "planned_at", "parent"),
        ChecklistItem.objects.values_list("pk", "jobneed", "position"),
        Reminder.objects.values_list("pk", "jobneed", "remind_at"),
    )
    return [sorted(rows, key=repr) for rows in tables]
