"""While PostgreSQL is down: who could look before still can, and nobody else; nothing can be done."""

from datetime import timedelta

import pytest
import redis
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.monitoring.emergency_pass import COOKIE, LASTS

from .outages import broker_down, database_down
from .visitors import address, visitor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("server"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture
def viewer() -> Client:
    """Somebody who has the overview open."""
    client = visitor()
    assert client.get(address("changelist")).status_code == 200
    return client


def test_the_pass_is_for_these_pages_alone_and_not_for_scripts(viewer: Client) -> None:
    cookie = viewer.cookies[COOKIE]
    assert cookie["path"] == address("changelist")
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["max-age"] == LASTS


def test_the_overview_and_the_api_open_with_it_and_say_what_is_wrong(viewer: Client) -> None:
    with database_down():
        response = viewer.get(address("changelist"))
        html = response.content.decode()
        assert response.status_code == 200
        assert "The database does not answer: nobody can sign in" in html
        assert "Log out" not in html
        assert address("action", "pause") not in html
        facts = viewer.get(address("api_metrics"))
        assert facts.status_code == 200
        assert facts.json()["stale"] is True
        assert facts.json()["queues"][0]["ready"] == 0  # of the broker, which answers


def test_both_servers_may_be_down(viewer: Client) -> None:
    with database_down(), broker_down():
        response = viewer.get(address("changelist"))
    assert response.status_code == 200
    assert "? UNKNOWN" in response.content.decode()
    assert "was so " in response.content.decode()


def test_nothing_else_opens_and_nothing_can_be_done(viewer: Client) -> None:
    with database_down():
        for page in ("workers", "audit", "idempotency", "runs"):
            response = viewer.get(address(page))
            assert response.status_code == 503, page
            assert "manage.py jobs status" in response.content.decode()
        assert viewer.get(address("changelist") + "no/such/page/").status_code == 503
        assert viewer.post(address("action", "pause"), {"queue": "email", "reason": "x"}).status_code == 503
        assert viewer.post(address("changelist")).status_code == 503


def test_who_never_came_to_look_is_not_let_in() -> None:
    staff = Client()
    staff.force_login(User.objects.create_user("staff", is_staff=True))
    assert staff.get(address("changelist")).status_code == 403
    assert COOKIE not in staff.cookies
    with database_down():
        for client in (Client(), staff):
            assert client.get(address("changelist")).status_code == 503
            assert client.get(address("api_metrics")).status_code == 401


def test_in_normal_times_the_pass_opens_nothing(viewer: Client) -> None:
    del viewer.cookies[settings.SESSION_COOKIE_NAME]
    assert viewer.get(address("changelist")).status_code == 302


@pytest.mark.parametrize("change", ["forged", "expired", "of another session", "without a session"])
def test_a_pass_that_is_not_right_opens_nothing(viewer: Client, change: str) -> None:
    if change == "forged":
        viewer.cookies[COOKIE] = viewer.cookies[COOKIE].value + "x"
    elif change == "of another session":
        viewer.cookies[settings.SESSION_COOKIE_NAME] = "somebody-elses-session"
    elif change == "without a session":
        del viewer.cookies[settings.SESSION_COOKIE_NAME]
    later = timezone.now() + timedelta(seconds=LASTS + 60 if change == "expired" else 60)
    with database_down(), time_machine.travel(later, tick=False):
        assert viewer.get(address("changelist")).status_code == 503
        assert viewer.get(address("api_metrics")).status_code == 401


def test_a_logout_takes_it_away(viewer: Client) -> None:
    response = viewer.post("/admin/logout/")
    assert response.cookies[COOKIE]["max-age"] == 0
    assert response.cookies[COOKIE]["path"] == address("changelist")


def test_who_loses_the_permission_gets_no_new_one(viewer: Client) -> None:
    User.objects.get().groups.clear()
    del viewer.cookies[COOKIE]
    assert viewer.get(address("changelist")).status_code == 403
    assert COOKIE not in viewer.cookies


def test_an_unknown_host_is_refused_then_too(viewer: Client, server: redis.Redis) -> None:
    with database_down():
        assert viewer.get(address("changelist"), headers={"host": "evil.example"}).status_code == 400


def test_other_pages_of_the_site_are_left_alone() -> None:
    response = Client().get("/admin/login/")
    assert response.status_code == 200
    assert "Content-Security-Policy" not in response.headers


@pytest.mark.django_db(transaction=True)
def test_a_connection_to_a_database_that_was_started_anew_is_no_outage(viewer: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()
    assert viewer.get(address("changelist")).status_code == 200
