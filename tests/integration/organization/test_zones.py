"""The time zones of sites, and that the engine finds them."""

import pytest
from django.utils.module_loading import import_string
from pytest_django import DjangoAssertNumQueries

from apps.core.conf import engine_settings
from apps.organization.models import Site, Tenant
from apps.organization.zones import zones_of_sites

pytestmark = pytest.mark.django_db


def add_site(tenant: Tenant, code: str, zone: str) -> None:
    Site.objects.create(tenant=tenant, code=code, name=f"Site {code}", timezone=zone)


def test_without_sites_there_are_no_zones() -> None:
    assert zones_of_sites() == set()


def test_the_zones_of_all_tenants_come_once_each(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    acme = Tenant.objects.create(slug="acme", name="Acme")
    closed = Tenant.objects.create(slug="closed", name="Closed", is_active=False)
    add_site(acme, "S1", "Asia/Kolkata")
    add_site(acme, "S2", "Asia/Kolkata")
    add_site(acme, "S3", "Europe/Berlin")
    add_site(closed, "S1", "Asia/Kolkata")
    add_site(closed, "S2", "America/New_York")
    with django_assert_num_queries(1) as queries:
        assert zones_of_sites() == {"Asia/Kolkata", "Europe/Berlin", "America/New_York"}
    assert "DISTINCT" in queries[0]["sql"]
    assert "ORDER BY" not in queries[0]["sql"]  # by its columns as well the rows would be distinct


def test_the_engines_setting_names_them() -> None:
    path = engine_settings().zones
    assert path is not None
    assert import_string(path) is zones_of_sites
