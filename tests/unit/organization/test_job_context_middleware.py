"""The job context around a request."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpResponse
from django.test import Client, RequestFactory

from apps.core import context
from apps.organization.middleware import job_context
from apps.organization.models import Person, Tenant

SEEN = []


@pytest.fixture(autouse=True)
def seen():
    SEEN.clear()
    return SEEN


def view(request):
    SEEN.append(context.current())
    return HttpResponse()


class Untouchable:
    """A user that must not be looked at."""

    def __getattr__(self, name):
        raise AssertionError(f"request.user.{name} was read")


def respond(headers=None, user=None, cookies=None):
    request = RequestFactory(headers=headers).get("/")
    request.user = user or AnonymousUser()
    request.COOKIES.update(cookies or {})
    return job_context(view)(request)


def test_a_request_without_an_id_gets_a_new_one_that_the_response_carries():
    first, second = respond(), respond()
    assert re.fullmatch("[0-9a-f]{32}", first["X-Request-ID"])
    assert [context.correlation_id for context in SEEN] == [first["X-Request-ID"], second["X-Request-ID"]]
    assert first["X-Request-ID"] != second["X-Request-ID"]


@pytest.mark.parametrize("given", ["5f0c9d1e-2b7a-4a52-9a39-0f5b3f6a1c11", "req_2026.11.23-0001", "a" * 64])
def test_a_harmless_id_of_the_client_is_kept(given):
    assert respond({"X-Request-ID": given})["X-Request-ID"] == given
    assert SEEN[0].correlation_id == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        "short",
        "a" * 65,
        "has spaces in it",
        'quote"d-identifier',
        "line\nbreak-1234",
        "{'json': true}",
        "-leading-dash",
        "ünïcödé-id",
    ],
)
def test_any_other_id_is_replaced(given):
    answered = respond({"X-Request-ID": given})["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", answered)


def test_nobody_looks_at_the_user_of_a_request_without_a_session():
    respond(user=Untouchable())
    assert SEEN[0].user_id is None
    assert SEEN[0].tenant_id is None


def test_the_context_ends_with_the_request():
    respond({"X-Request-ID": "request-0001"})
    assert context.current() == context.JobContext()


def test_it_ends_when_the_view_fails_too():
    def fail(request):
        raise LookupError

    with pytest.raises(LookupError):
        job_context(fail)(RequestFactory().get("/"))
    assert context.current() == context.JobContext()


def test_a_request_carries_no_context_of_the_one_before():
    with context.using(tenant_id=99, user_id=98):
        respond()
    assert (SEEN[0].tenant_id, SEEN[0].user_id) == (None, None)


@pytest.mark.django_db
def test_a_signed_in_person_is_named_with_the_tenant(settings):
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    user = User.objects.create_user("kim")
    Person.objects.create(tenant=tenant, user=user, name="Kim")
    respond(user=user, cookies={settings.SESSION_COOKIE_NAME: "s"})
    assert SEEN[0].user_id == str(user.pk)
    assert SEEN[0].tenant_id == str(tenant.pk)


@pytest.mark.django_db
def test_a_login_without_a_person_has_no_tenant(settings):
    user = User.objects.create_superuser("root")
    respond(user=user, cookies={settings.SESSION_COOKIE_NAME: "s"})
    assert SEEN[0].user_id == str(user.pk)
    assert SEEN[0].tenant_id is None


@pytest.mark.django_db
def test_an_anonymous_page_costs_no_query_and_does_not_vary_by_cookie(django_assert_num_queries):
    with django_assert_num_queries(0):
        response = Client().get("/")
    assert response.status_code == 302
    assert "Cookie" not in response.headers.get("Vary", "")
    assert "X-Request-ID" in response.headers
