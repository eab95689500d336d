"""The jobs create_ppm_job and create_job, what they cost, and the admin of what they make."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.core import context
from apps.operations import occurrences, planning
from apps.operations.models import Job, JobNeed, Reminder
from apps.operations.services import plan_other_work
from apps.operations.tasks import create_job, create_ppm_job
from apps.organization.models import Person

from .company import HOUR, NOW, Company

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def test_they_are_declared_as_the_timetable_and_the_operators_know_them():
    for task, name in ((create_ppm_job, "create_ppm_job"), (create_job, "create_job")):
        assert (task.name, task.queue_name) == (name, "maintenance")
        assert (task.soft_time_limit, task.time_limit) == (1800, 2400)


def test_the_result_counts_everything_and_is_json(company):
    company.tour("Gate", "Fence")
    bad = company.job(cron="61 9 * * *")
    assert json.loads(json.dumps(create_job(now_iso=NOW.isoformat()))) == {
        "templates": 2,
        "created": 2,
        "checkpoints": 4,
        "replaced": 0,
        "skipped": 0,
        "failed": 1,
        "reminders": 2,
        "errors": [{"id": bad.pk, "reason": "CronError: '61 9 * * *' is no cron: bad minute."}],
    }


def test_a_late_run_plans_from_its_firing_instant_and_one_by_hand_from_now(company, time_machine):
    time_machine.move_to(NOW + HOUR, tick=False)
    company.job(kind="PPM", cron="0 18 * * *")  # half an hour after NOW
    with context.using(firing=NOW.isoformat()):
        assert create_ppm_job.apply().get()["created"] == 30
    company.job(cron="0 18 * * *")
    assert create_job()["created"] == 2
    assert JobNeed.objects.filter(planned_at__lt=NOW + HOUR).count() == 1


def test_a_firing_that_is_sent_twice_is_worked_once(company):
    company.job(cron="0 9 * * *")
    runs = [create_job.apply(headers={"bgjobs_firing": NOW.isoformat()}).get()["created"] for _ in range(2)]
    assert runs == [2, 2]  # the second one is the first one's answer
    assert JobNeed.objects.count() == 2


def statements(run):
    with CaptureQueriesContext(connection) as queries:
        run()
    return len(queries)


def test_a_batch_costs_the_same_number_of_statements_however_much_is_in_it(company):
    costs = []
    for number in (1, 8):
        for _ in range(number):
            company.tour("Gate", "Fence", checklist=["Signed"])
        costs.append(statements(lambda: plan_other_work(now=NOW)))
        Job.objects.filter(parent=None).update(cron="0 10 * * *")
        costs.append(statements(lambda: plan_other_work(now=NOW)))
        assert JobNeed.objects.filter(parent=None).count() == 2 * Job.objects.filter(parent=None).count()
        Job.objects.all().delete()
    assert costs[:2] == costs[2:]
    assert costs[1] <= 14  # two of them look for templates, two are the transaction's


def test_batches_follow_each_other(company, monkeypatch):
    monkeypatch.setattr(planning, "BATCH", 2)
    for _ in range(5):
        company.job(cron="0 9 * * *")
    assert plan_other_work(now=NOW).counts == {"templates": 5, "created": 10, "reminders": 10}


def test_a_batch_with_many_occurrences_is_made_in_parts(company, monkeypatch):
    monkeypatch.setattr(planning, "MOST_ROWS", 5)
    for _ in range(4):
        company.tour("Gate")  # four rows each
    one_by_one = statements(lambda: plan_other_work(now=NOW))
    assert JobNeed.objects.filter(parent=None).count() == 8
    monkeypatch.setattr(planning, "MOST_ROWS", occurrences.MOST_ROWS)
    Job.objects.update(plan_minutes=7)
    assert statements(lambda: plan_other_work(now=NOW)) < one_by_one


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"cron": "61 9 * * *"}, "cron", "'61 9 * * *' is no cron: bad minute."),
        ({"cron": "0 9 30 2 *"}, "cron", "bad day-of-month"),
        ({"cron": "0 9 * * *", "valid_until": NOW - 500 * HOUR}, "valid_until", "It ends before it begins."),
    ],
)
def test_a_template_that_cannot_be_planned_is_refused_with_a_clear_message(company, fields, field, said):
    with pytest.raises(ValidationError) as refused:
        company.job(**fields).full_clean()
    assert said in refused.value.message_dict[field][0]


def test_a_checkpoint_has_a_tour_and_no_cron(company):
    tour = company.tour("Gate")
    gate = tour.checkpoints.get()
    gate.full_clean()
    for fields, field in (({"cron": "0 9 * * *"}, "cron"), ({"parent": gate}, "parent")):
        with pytest.raises(ValidationError) as refused:
            company.job(**{"parent": tour, **fields}).full_clean()
        assert field in refused.value.message_dict


@pytest.fixture
def clerk(company):
    user = User.objects.create_superuser("clerk")
    Person.objects.create(tenant=company.tenant, user=user, name="Clerk")
    client = Client()
    client.force_login(user)
    return client


def test_the_admin_shows_occurrences_with_all_that_belongs_to_them(company, clerk):
    company.tour("Gate", checklist=["Signed"])
    Company("other").tour("Secret", name="Secret tour")
    plan_other_work(now=NOW)
    root = JobNeed.objects.filter(parent=None, site=company.site).first()
    page = clerk.get(reverse("admin:operations_jobneed_change", args=[root.pk])).content.decode()
    assert "Signed" in page
    assert "Gate" in page
    filters = {"status__exact": "ASSIGNED", "job__kind__exact": "EXTERNAL_TOUR", "site__id__exact": company.site.pk}
    shown = clerk.get(reverse("admin:operations_jobneed_changelist"), filters)
    assert shown.context["cl"].queryset.count() == 4
    assert "Secret" not in shown.content.decode()
    tour_page = clerk.get(reverse("admin:operations_job_change", args=[root.job_id])).content.decode()
    assert "Gate" in tour_page


def test_reminders_are_there_to_be_read_and_go_with_their_occurrence(company, clerk):
    reminder = company.reminder()
    foreign = Company("other").reminder()
    listed = clerk.get(reverse("admin:operations_reminder_changelist"))
    assert list(listed.context["cl"].queryset) == [reminder]
    assert clerk.get(reverse("admin:operations_reminder_change", args=[reminder.pk])).status_code == 200
    assert clerk.get(reverse("admin:operations_reminder_change", args=[foreign.pk])).status_code == 302
    assert clerk.get(reverse("admin:operations_reminder_add")).status_code == 403
    assert clerk.post(reverse("admin:operations_reminder_delete", args=[reminder.pk])).status_code == 403
    page = reverse("admin:operations_jobneed_delete", args=[reminder.jobneed_id])
    assert clerk.post(page, {"post": "yes"}).status_code == 302
    assert list(Reminder.objects.all()) == [foreign]


def test_an_occurrence_that_a_person_adds_is_known_as_such(company, clerk):
    job = company.job(cron="0 9 * * *")
    planned = NOW + timedelta(hours=1)
    form = {
        "job": job.pk,
        "site": company.site.pk,
        "assignee_person": company.guard.pk,
        "planned_at_0": planned.date().isoformat(),
        "planned_at_1": "13:00:00",
        "expires_at_0": planned.date().isoformat(),
        "expires_at_1": "14:00:00",
    }
    for prefix in ("checklist", "checkpoints", "reminders"):
        form |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    answer = clerk.post(reverse("admin:operations_jobneed_add"), form)
    assert answer.status_code == 302, answer.context["errors"]
    added = JobNeed.objects.get()
    assert added.added_by_hand
    form |= {"expires_at_1": "15:00:00"}
    clerk.post(reverse("admin:operations_jobneed_change", args=[added.pk]), form)
    added.refresh_from_db()
    assert (added.expires_at - added.planned_at, added.added_by_hand) == (2 * HOUR, True)
    form |= {"site": "", "job": ""}
    assert clerk.post(reverse("admin:operations_jobneed_add"), form).status_code == 200
