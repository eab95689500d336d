"""Every page of the admin opens, and shows a tenant's people their own rows only."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from apps.organization.models import Person, Tenant
from apps.organization.tenant_admin import TenantAdmin

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
# What has no table is no list of rows: the pages of the jobs, which have tests of their own.
MODELS = sorted((model for model in admin.site._registry if model._meta.managed), key=lambda model: model._meta.label)
OF_TENANTS = [model for model in MODELS if isinstance(admin.site._registry[model], TenantAdmin)]


@pytest.fixture
def company(db: None) -> None:
    call_command("seed_demo", tenants=2, scale=1, verbosity=0)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_page_opens_for_a_superuser(company: None) -> None:
    client = signed_in(User.objects.create_superuser("root"))
    for model in MODELS:
        options = admin.site._registry[model]
        assert (
            client.get(address(model, "changelist"), {"q": "a"} if options.search_fields else {}).status_code == 200
        )
        added = client.get(address(model, "add")).status_code
        assert added in (200, 403), model  # 403: rows that only the system makes
        if (row := model._default_manager.first()) is not None:
            assert client.get(address(model, "change", row.pk)).status_code == 200, model


def test_a_person_sees_the_rows_of_the_own_tenant_only(company: None) -> None:
    own, other = Tenant.objects.order_by("pk")[:2]
    user = User.objects.create_superuser("local")
    Person.objects.create(tenant=own, user=user, name="Local")
    client = signed_in(user)
    assert len(OF_TENANTS) >= 8
    for model in OF_TENANTS:
        path = admin.site._registry[model].tenant_path  # type: ignore[attr-defined]
        shown = client.get(address(model, "changelist")).context["cl"].queryset
        lookup = "pk" if path == "pk" else path
        assert shown.count() == model._default_manager.filter(**{lookup: own.pk}).count(), model
        foreign = model._default_manager.filter(**{lookup: other.pk}).first()
        if foreign is not None:
            assert client.get(address(model, "change", foreign.pk)).status_code in (302, 404), model


def test_staff_without_a_person_sees_nothing(company: None) -> None:
    from django.contrib.auth.models import Permission

    user = User.objects.create_user("stranger", is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    client = signed_in(user)
    for model in OF_TENANTS:
        assert client.get(address(model, "changelist")).context["cl"].queryset.count() == 0, model


def test_nobody_who_is_not_staff_gets_in(company: None) -> None:
    for client in (Client(), signed_in(User.objects.create_user("guest"))):
        for model in MODELS:
            assert client.get(address(model, "changelist")).status_code == 302
