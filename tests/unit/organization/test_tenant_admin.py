"""The admin shows, offers and accepts only rows of the user's own tenant."""

from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from apps.operations.models import Job, JobNeed
from apps.organization.models import Asset, Group, Holiday, Person, Site, Tenant
from apps.organization.tenant_admin import TenantScoped

pytestmark = pytest.mark.django_db
MODELS = (Tenant, Site, Person, Group, Holiday, Asset, Job, JobNeed)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class TenantRows:
    """One row of every model, and their names in lists."""

    def __init__(self, slug):
        self.tenant = Tenant.objects.create(slug=slug, name=f"{slug}-tenant")
        self.site = Site.objects.create(tenant=self.tenant, code="S", name=f"{slug}-site")
        self.person = Person.objects.create(tenant=self.tenant, name=f"{slug}-person")
        self.group = Group.objects.create(tenant=self.tenant, name=f"{slug}-group")
        self.holiday = Holiday.objects.create(tenant=self.tenant, date=NOW.date(), name=f"{slug}-holiday")
        self.asset = Asset.objects.create(site=self.site, code="A", name=f"{slug}-asset")
        self.job = Job.objects.create(
            site=self.site, name=f"{slug}-job", valid_from=NOW, assignee_person=self.person, asset=self.asset
        )
        self.jobneed = JobNeed.objects.create(
            job=self.job,
            site=self.site,
            assignee_person=self.person,
            planned_at=NOW,
            expires_at=NOW.replace(hour=14),
        )

    def of(self, model):
        return getattr(self, model.__name__.lower())


@pytest.fixture
def mine():
    return TenantRows("mine")


@pytest.fixture
def others():
    return TenantRows("others")


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff(mine, others):
    """A member of staff of the first tenant who may do everything with its rows."""
    user = User.objects.create_user("kim", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    mine.person.user = user
    mine.person.save()
    return signed_in(user)


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", MODELS)
def test_lists_show_rows_of_the_own_tenant_alone(staff, model):
    page = staff.get(url(model, "changelist")).content.decode()
    assert "mine-" in page
    assert "others-" not in page  # in the rows as well as in the filters beside them


@pytest.mark.parametrize("model", MODELS)
def test_pages_of_another_tenants_rows_are_not_found(staff, mine, others, model):
    assert staff.get(url(model, "change", mine.of(model).pk)).status_code == 200
    for page in ("change", "delete", "history"):
        response = staff.get(url(model, page, others.of(model).pk))
        assert (response.status_code, response.headers.get("Location")) == (302, reverse("admin:index"))


@pytest.mark.parametrize("model", MODELS)
def test_forms_offer_rows_of_the_own_tenant_alone(staff, mine, model):
    for page in (url(model, "add"), url(model, "change", mine.of(model).pk)):
        assert "others-" not in staff.get(page).content.decode()


def test_searching_for_a_row_to_pick_finds_the_own_tenants_alone(staff):
    field = {"app_label": "operations", "model_name": "job", "field_name": "assignee_person"}
    found = staff.get(reverse("admin:autocomplete"), {**field, "term": "person"}).json()["results"]
    assert [row["text"] for row in found] == ["mine-person"]


def test_a_row_of_another_tenant_is_refused_even_if_its_id_is_known(staff, mine, others):
    form = {"code": "NEW", "name": "New", "status": "WORKING"}
    refused = staff.post(url(Asset, "add"), {**form, "site": others.site.pk})
    assert refused.status_code == 200
    assert "Select a valid choice" in refused.content.decode()
    assert staff.post(url(Asset, "add"), {**form, "site": mine.site.pk}).status_code == 302
    assert Asset.objects.filter(code="NEW").count() == 1


def test_another_tenants_member_is_refused_for_a_group(staff, mine, others):
    form = {"tenant": mine.tenant.pk, "name": "Night shift", "members": [others.person.pk]}
    assert "Select a valid choice" in staff.post(url(Group, "add"), form).content.decode()


def test_a_bulk_action_does_not_reach_another_tenants_rows(staff, others):
    form = {"action": "delete_selected", "_selected_action": [others.holiday.pk], "post": "yes"}
    staff.post(url(Holiday, "changelist"), form)
    assert Holiday.objects.filter(pk=others.holiday.pk).exists()


def test_logins_are_for_superusers(staff, mine, others):
    assert staff.get(url(User, "changelist")).status_code == 403
    assert staff.get(url(User, "add")).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_a_superuser_without_a_person_sees_all_tenants(mine, others, model):
    page = signed_in(User.objects.create_superuser("root")).get(url(model, "changelist")).content.decode()
    assert "mine-" in page
    assert "others-" in page


@pytest.mark.parametrize("model", MODELS)
def test_a_superuser_with_a_person_sees_that_persons_tenant(mine, others, model):
    mine.person.user = User.objects.create_superuser("root")
    mine.person.save()
    page = signed_in(mine.person.user).get(url(model, "changelist")).content.decode()
    assert "mine-" in page
    assert "others-" not in page


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("left", [False, True], ids=["who never had a person", "whose person has left"])
def test_other_staff_see_nothing(mine, others, model, left):
    user = User.objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    if left:
        Person.objects.create(tenant=mine.tenant, user=user, name="Sam", is_active=False)
    client = signed_in(user)
    page = client.get(url(model, "changelist")).content.decode()
    assert "mine-" not in page
    assert "others-" not in page
    assert client.get(url(model, "change", mine.of(model).pk)).status_code == 302


def test_a_status_cannot_be_written_by_hand(staff, mine):
    page = staff.get(url(JobNeed, "change", mine.jobneed.pk)).content.decode()
    assert 'name="status"' not in page
    assert 'name="closed_by_server"' not in page


def test_lists_cost_the_same_number_of_queries_for_more_rows(staff, mine, django_assert_max_num_queries):
    JobNeed.objects.bulk_create(
        JobNeed(
            job=mine.job,
            site=mine.site,
            assignee_person=mine.person,
            planned_at=NOW.replace(minute=minute),
            expires_at=NOW.replace(hour=14),
        )
        for minute in range(1, 41)
    )
    with django_assert_max_num_queries(15):
        staff.get(url(JobNeed, "changelist"))


def test_every_model_of_the_tenants_is_registered_with_its_way_to_the_tenant():
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label in {"organization", "operations", "helpdesk"}:
            assert isinstance(model_admin, TenantScoped), model
            model.objects.filter(**{model_admin.tenant_path: 1})


def test_work_must_fit_its_site(mine, others):
    from django.core.exceptions import ValidationError

    for wrong in ({"asset": others.asset}, {"assignee_person": others.person}, {"parent": others.job}):
        job = Job(**{"site": mine.site, "name": "J", "valid_from": NOW, "assignee_person": mine.person, **wrong})
        with pytest.raises(ValidationError) as refused:
            job.clean()
        assert set(refused.value.message_dict) == set(wrong)


def test_work_needs_one_assignee(mine):
    from django.core.exceptions import ValidationError

    for assignees in ({}, {"assignee_person": mine.person, "assignee_group": mine.group}):
        with pytest.raises(ValidationError, match="one of the two"):
            Job(site=mine.site, name="J", valid_from=NOW, **assignees).clean()
