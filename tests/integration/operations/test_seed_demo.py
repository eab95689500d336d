"""`manage.py seed_demo`: a believable company, the same for the same seed and instant."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import product

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count

from apps.helpdesk.escalation import escalate_due
from apps.helpdesk.models import Ticket, TicketHistory
from apps.helpdesk.models.escalation_rule import EscalationRule
from apps.media.models import MediaFile
from apps.operations.models import ChecklistItem, Job, JobNeed
from apps.operations.services import plan_other_work, plan_ppm
from apps.organization.models import Asset, Group, Person, Site, Tenant
from apps.reports.models import Format, ReportSchedule

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def media_root(settings, tmp_path):
    settings.MEDIA_FILES_ROOT = tmp_path


Status = JobNeed.Status
"""What of each table must be the same for equal seeds."""
CONTENT = (
    (Tenant, "slug"),
    (Site, "tenant__slug", "code", "name", "timezone"),
    (Person, "tenant__slug", "name", "email"),
    (Asset, "site__tenant__slug", "code", "status"),
    (Job, "site__tenant__slug", "site__code", "name", "cron", "assignee_person__email"),
    (JobNeed, "site__tenant__slug", "site__code", "job__name", "planned_at", "status", "performed_at"),
    (Ticket, "tenant__slug", "number", "created_at", "status", "priority", "asset__code"),
    (MediaFile, "tenant__slug", "path", "sha256", "taken_at"),
    (ReportSchedule, "tenant__slug", "name", "type", "format", "next_run_at"),
)


def seed(**options):
    output = StringIO()
    call_command("seed_demo", stdout=output, **{"now": NOW.isoformat(), **options})
    return output.getvalue()


def content():
    return [sorted(model.objects.values_list(*fields), key=repr) for model, *fields in CONTENT]


def start_again():
    from django.contrib.auth.models import User

    for model in (TicketHistory, Ticket, EscalationRule, JobNeed, Job, Tenant, User):
        model.objects.all().delete()


def overdue():
    return JobNeed.objects.filter(parent=None, status__in=JobNeed.OPEN, expires_at__lte=NOW)


def test_at_scale_1_it_has_the_promised_size():
    said = seed()
    assert (Tenant.objects.count(), Site.objects.count()) == (3, 18)
    assert 1_900 <= JobNeed.objects.count() <= 2_300
    assert 480 <= Ticket.objects.count() <= 520
    assert f"{JobNeed.objects.count()} occurrences ({overdue().count()} overdue)" in said


def test_sites_lie_in_at_least_five_zones_with_half_hours_and_daylight_saving():
    seed(tenants=1)
    zones = set(Site.objects.values_list("timezone", flat=True))
    assert len(zones) >= 5
    assert {"Asia/Kolkata", "America/New_York", "Europe/London"} <= zones
    for site in Site.objects.all():
        site.full_clean()


def test_overdue_work_of_every_kind_is_there_to_be_closed(run_sweep):
    seed(tenants=1)
    kinds = set(overdue().values_list("job__on_expiry", flat=True))
    assert kinds == set(Job.OnExpiry.values)
    counts = run_sweep().counts
    assert {"closed", "partially", "completed", "tickets", "mails"} <= set(counts)
    assert "failed" not in counts
    assert overdue().count() == 0


def test_tickets_are_due_for_escalation():
    seed(tenants=1)
    escalated = escalate_due(now=NOW, budget_seconds=1000).counts["escalated"]
    assert escalated >= 3 * Site.objects.count()


def test_history_goes_back_90_days_and_mostly_ended_well():
    seed(tenants=1)
    past = JobNeed.objects.filter(parent=None, expires_at__lte=NOW)
    assert NOW - timedelta(days=90) <= past.earliest("planned_at").planned_at <= NOW - timedelta(days=80)
    done = past.filter(status=Status.COMPLETED).count()
    assert done / past.count() > 0.75
    assert JobNeed.objects.filter(planned_at__gt=NOW, status=Status.ASSIGNED).exists()


def test_its_rows_are_ones_that_the_admin_would_accept():
    seed(tenants=1)
    for model in (Tenant, Site, Person, Group, Asset, Ticket, EscalationRule):
        for row in model.objects.all()[:60]:
            row.full_clean()
    for model in (Job, JobNeed):
        for row in model.objects.select_related("job" if model is JobNeed else "site")[:60]:
            row.clean()
    assert not JobNeed.objects.filter(status=Status.COMPLETED, performed_at=None).exists()
    assert not JobNeed.objects.exclude(status=Status.COMPLETED).exclude(performed_at=None).exists()
    tours = JobNeed.objects.annotate(stops=Count("checkpoints")).filter(stops__gt=0)
    assert not tours.filter(status=Status.COMPLETED).exclude(checkpoints__status=Status.COMPLETED).exists()
    assert ChecklistItem.objects.exists()


def test_every_address_is_one_that_nobody_owns():
    seed(tenants=1)
    addresses = set(Person.objects.values_list("email", flat=True))
    addresses |= {address for site in Site.objects.all() for address in site.in_charge}
    addresses |= {address for rule in EscalationRule.objects.all() for address in rule.extra_emails}
    assert all(address.endswith(".example.com") for address in addresses)


def test_equal_seeds_make_equal_data_and_others_do_not():
    seed(tenants=1, seed=7)
    first = content()
    start_again()
    seed(tenants=1, seed=7)
    assert content() == first
    start_again()
    seed(tenants=1, seed=8)
    assert content() != first


def test_its_size_follows_tenants_and_scale():
    seed(tenants=1, scale=2)
    assert (Tenant.objects.count(), Site.objects.count()) == (1, 12)


def test_its_logins_have_no_password_until_somebody_gives_them_one():
    from django.contrib.auth.models import User

    seed(tenants=1)
    assert {user.username for user in User.objects.all()} == {"sentinel-guarding-admin1", "sentinel-guarding-admin2"}
    assert not any(user.has_usable_password() or user.is_superuser for user in User.objects.all())


def test_a_database_with_data_is_refused_and_left_as_it_is():
    Tenant.objects.create(slug="real", name="Real customer")
    with pytest.raises(CommandError, match="empty database"):
        seed()
    assert Tenant.objects.count() == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"tenants": 0}, "1 or more"),
        ({"scale": -1}, "1 or more"),
        ({"now": "yesterday"}, "no[t]? an instant"),
        ({"now": "2026-11-23T12:00"}, "no offset"),
    ],
)
def test_a_bad_option_is_named(options, complaint):
    with pytest.raises(CommandError, match=complaint):
        seed(**options)
    assert not Tenant.objects.exists()


def test_every_type_of_report_is_due_once_in_every_format():
    seed(tenants=1)
    schedules = ReportSchedule.objects.all()
    assert {(each.type, each.format) for each in schedules} == set(product(ReportSchedule.Type, Format))
    assert len(schedules) == 35
    for schedule in schedules:
        schedule.full_clean()
        assert next(schedule.rhythm.ends_until(NOW)) == schedule.next_run_at <= NOW


def test_half_of_the_media_files_are_old_enough_for_the_archive():
    seed(tenants=1)
    old = MediaFile.objects.filter(taken_at__lt=NOW - timedelta(days=60))
    assert (old.count(), MediaFile.objects.count()) == (18, 36)


def test_planning_goes_on_from_what_is_planned():
    seed(tenants=1)
    planned = set(JobNeed.objects.values_list("pk", flat=True))
    assert plan_other_work(now=NOW).counts["replaced"] == plan_ppm(now=NOW).counts["replaced"] == 0
    assert planned < set(JobNeed.objects.values_list("pk", flat=True))
