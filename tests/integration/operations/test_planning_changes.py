"""What becomes of occurrences when their template changes."""

from datetime import date, timedelta

import pytest

from apps.operations.models import ChecklistItem, Job, JobNeed, Reminder
from apps.operations.services import plan_other_work, plan_ppm, record_performance
from apps.organization.models import Asset, Holiday

from .company import HOUR, NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def planned_at(job):
    rows = JobNeed.objects.filter(job=job, parent=None).order_by("planned_at")
    return [f"{moment:%m-%d %H:%M}" for moment in rows.values_list("planned_at", flat=True)]


def change(job, **fields):
    Job.objects.filter(pk=job.pk).update(**fields)  # no save(), no admin: it is seen all the same


def test_another_cron_replaces_what_is_ahead(company):
    job = company.job(cron="0 9 * * *")
    plan_other_work(now=NOW)
    change(job, cron="0 10 * * *")
    outcome = plan_other_work(now=NOW + HOUR)
    assert (outcome.counts["replaced"], outcome.counts["created"]) == (2, 2)
    assert planned_at(job) == ["11-24 04:30", "11-25 04:30"]
    assert Reminder.objects.count() == 2
    assert plan_other_work(now=NOW + HOUR).counts == {"templates": 1}


@pytest.mark.parametrize(
    "fields",
    [
        {"plan_minutes": 31},
        {"grace_minutes": 1},
        {"expiry_minutes": 61},
        {"remind_minutes": 5},
        {"checklist": ["Oil"]},
        {"asset": None},
        {"holiday_policy": "SKIP"},
        {"valid_until": NOW + 100 * DAY},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_so_does_a_change_of_what_occurrences_are_made_of(company, fields):
    job = company.job(cron="0 9 * * *", checklist=["Fuel"])
    plan_other_work(now=NOW)
    change(job, **fields)
    assert plan_other_work(now=NOW).counts["replaced"] == 2
    assert job.occurrences.count() == 2


@pytest.mark.parametrize("fields", [{"name": "Another"}, {"priority": "LOW"}, {"on_expiry": "NOTIFY"}])
def test_what_occurrences_read_from_the_template_replaces_nothing(company, fields):
    job = company.job(cron="0 9 * * *")
    plan_other_work(now=NOW)
    change(job, **fields)
    assert "replaced" not in plan_other_work(now=NOW).counts


def test_another_assignee_replaces_what_is_ahead(company):
    job = company.job(cron="0 9 * * *")
    plan_other_work(now=NOW)
    change(job, assignee_person=company.admin)
    plan_other_work(now=NOW)
    assert {row.assignee_person for row in job.occurrences.all()} == {company.admin}


@pytest.mark.parametrize(
    "edit",
    [
        lambda tour: tour.checkpoints.filter(name="Gate").update(seqno=7),
        lambda tour: tour.checkpoints.filter(name="Gate").update(plan_minutes=11),
        lambda tour: tour.checkpoints.filter(name="Gate").update(checklist=["Locked"]),
        lambda tour: tour.checkpoints.filter(name="Gate").update(enabled=False),
    ],
    ids=["order", "times", "checklist", "enabled"],
)
def test_a_change_of_a_checkpoint_replaces_the_tours_ahead(company, edit):
    tour = company.tour("Gate", "Fence")
    plan_other_work(now=NOW)
    old = set(JobNeed.objects.values_list("pk", flat=True))
    edit(tour)
    assert plan_other_work(now=NOW).counts["replaced"] == 2
    assert not old & set(JobNeed.objects.values_list("pk", flat=True))


def test_a_checkpoint_that_is_new_or_gone_does_so_too(company):
    tour = company.tour("Gate", "Fence")
    plan_other_work(now=NOW)
    company.job(name="Roof", parent=tour, seqno=3, plan_minutes=10)
    assert plan_other_work(now=NOW).counts["checkpoints"] == 6
    tour.checkpoints.get(name="Gate").delete()
    assert plan_other_work(now=NOW).counts["checkpoints"] == 4


def test_another_zone_of_the_site_and_a_new_holiday_do_so_too(company):
    kept, skipping = (company.job(cron="0 9 * * *", holiday_policy=policy) for policy in ("KEEP", "SKIP"))
    plan_other_work(now=NOW)
    Holiday.objects.create(tenant=company.tenant, date=date(2026, 11, 24))
    assert plan_other_work(now=NOW).counts["replaced"] == 2
    assert (kept.occurrences.count(), skipping.occurrences.count()) == (2, 1)
    company.site.timezone = "Asia/Singapore"
    company.site.save()
    plan_other_work(now=NOW)
    assert planned_at(kept) == ["11-24 01:00", "11-25 01:00"]


@pytest.mark.parametrize("touch", ["begun", "done", "checkpoint done", "line ticked", "checkpoint's line ticked"])
def test_what_has_been_touched_stays_whole(company, touch):
    tour = company.tour("Gate", "Fence", checklist=["Signed"])
    plan_other_work(now=NOW)
    touched = JobNeed.objects.filter(parent=None).earliest("planned_at")
    gate = touched.checkpoints.get(job__name="Gate")
    if touch == "begun":
        JobNeed.objects.filter(pk=touched.pk).update(status="IN_PROGRESS")
    elif touch == "line ticked":
        touched.checklist.update(is_done=True)
    elif touch == "checkpoint's line ticked":
        gate.checklist.update(is_done=True)
    else:
        record_performance(touched.pk if touch == "done" else gate.pk, NOW)
    change(tour, cron="0 10 * * *")
    assert plan_other_work(now=NOW).counts["replaced"] == 1
    assert planned_at(tour) == ["11-24 03:30", "11-24 04:30", "11-25 04:30"]
    assert (touched.checkpoints.count(), touched.checklist.count(), touched.reminders.count()) == (2, 1, 1)


def test_what_is_not_ahead_stays(company):
    job = company.job(cron="0 9 * * *")
    plan_other_work(now=NOW)
    change(job, cron="0 10 * * *")
    plan_other_work(now=NOW + DAY)
    assert planned_at(job) == ["11-24 03:30", "11-25 04:30", "11-26 04:30"]


def test_what_a_person_added_stays(company):
    job = company.job(cron="0 9 * * *")
    plan_other_work(now=NOW)
    extra = job.occurrences.earliest("planned_at")
    extra.pk, extra.planned_at, extra.added_by_hand = None, extra.planned_at - HOUR, True
    extra.save()
    change(job, cron="0 10 * * *")
    plan_other_work(now=NOW)
    assert planned_at(job) == ["11-24 02:30", "11-24 04:30", "11-25 04:30"]


def test_a_template_that_is_switched_off_takes_what_is_ahead_along_and_brings_it_back(company):
    tour = company.tour("Gate", checklist=["Signed"])
    plan_other_work(now=NOW)
    change(tour, enabled=False)
    assert plan_other_work(now=NOW).counts == {"templates": 1, "skipped": 1, "replaced": 2}
    assert not any(model.objects.exists() for model in (JobNeed, ChecklistItem, Reminder))
    assert plan_other_work(now=NOW).counts == {}
    change(tour, enabled=True)
    assert plan_other_work(now=NOW).counts["created"] == 2


def test_so_does_one_whose_asset_is_scrapped(company):
    job = company.job(kind="PPM", cron="0 9 * * *")
    plan_ppm(now=NOW)
    Asset.objects.filter(pk=company.asset.pk).update(status="SCRAPPED")
    assert plan_ppm(now=NOW).counts == {"templates": 1, "skipped": 1, "replaced": 30}
    assert not job.occurrences.exists()
    Asset.objects.filter(pk=company.asset.pk).update(status="WORKING")
    assert plan_ppm(now=NOW).counts["created"] == 30


def test_another_kind_is_planned_as_far_ahead_as_that_kind_is(company):
    job = company.job(kind="PPM", cron="0 9 * * *")
    plan_ppm(now=NOW)
    change(job, kind="TASK")
    assert plan_ppm(now=NOW).counts == {}
    assert plan_other_work(now=NOW).counts["replaced"] == 30
    assert job.occurrences.count() == 2


def test_a_cron_that_has_become_bad_leaves_everything_as_it_is(company):
    job = company.job(cron="0 9 * * *")
    plan_other_work(now=NOW)
    change(job, cron="61 9 * * *")
    outcome = plan_other_work(now=NOW)
    assert (outcome.counts["failed"], job.occurrences.count()) == (1, 2)
    change(job, cron="0 9 * * *")
    assert plan_other_work(now=NOW).counts == {"templates": 1}


def test_occurrences_from_before_templates_had_fingerprints_are_taken_over(company):
    job = company.job(cron="0 9 * * *")
    plan_other_work(now=NOW)
    change(job, planned_as="")
    plan_other_work(now=NOW)
    assert planned_at(job) == ["11-24 03:30", "11-25 03:30"]
    assert plan_other_work(now=NOW).counts == {"templates": 1}
