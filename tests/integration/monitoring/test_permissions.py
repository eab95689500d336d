"""Every address and every action answers each role as the table in roles.py says."""

import uuid
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from apps.core.actions.catalogue import PERMISSIONS
from apps.core.models import OperatorAction
from apps.monitoring.offers import OFFERS
from apps.monitoring.tokens.issuing import create
from apps.monitoring.tokens.scopes import Scope
from apps.monitoring.urls import PAGES

from . import roles
from .visitors import address, visitor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("server"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


@pytest.fixture(params=roles.ROLES)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(role: str) -> Client:
    if role in roles.GROUPS:
        return visitor(roles.GROUPS[role])
    if role in roles.TOKENS:
        _, secret = create("program", scopes=[roles.TOKENS[role]], now=datetime.now(UTC))
        return Client(headers={"Authorization": f"Bearer {secret}"})
    made = Client()
    if role == "staff":
        made.force_login(User.objects.create_user("staff", is_staff=True))
    return made


def test_the_table_names_every_page_and_every_action() -> None:
    assert {page.name for page in PAGES} == set(roles.PAGES)
    assert set(OFFERS) == set(roles.ACTIONS)


def test_each_page_answers_each_role_as_the_table_says(role: str, client: Client) -> None:
    place = roles.ROLES.index(role)
    answers = {page.name: client.get(address(page.name, *roles.PAGES[page.name][0])).status_code for page in PAGES}
    assert answers == {name: statuses[place] for name, (_, statuses) in roles.PAGES.items()}


def test_who_may_not_act_is_refused_before_anything_is_looked_at(role: str, client: Client) -> None:
    """A POST without a reason: 400 for who may, and for others what a page answers them."""
    refused = 302 if role == "anonymous" or role in roles.TOKENS else 403
    asked = {"request_id": str(uuid.uuid4()), "reason": ""}
    answers = {name: client.post(address("action", name), asked).status_code for name in OFFERS}
    assert answers == {name: 400 if role in may else refused for name, may in roles.ACTIONS.items()}
    assert not OperatorAction.objects.exists()


def test_prometheus_is_answered_for_its_token_alone(role: str, client: Client) -> None:
    assert client.get(reverse("metrics")).status_code == roles.FOR_PROMETHEUS[roles.ROLES.index(role)]


def test_every_scope_of_a_token_is_in_the_table() -> None:
    assert set(roles.TOKENS.values()) == set(Scope.values)


def test_nothing_is_written_where_programs_read(role: str, client: Client) -> None:
    programs = [(name, arguments) for name, (arguments, _) in roles.PAGES.items() if name.startswith("api_")]
    assert {client.post(address(name, *arguments)).status_code for name, arguments in programs} == {405}


def test_a_token_takes_nothing_from_a_session_and_adds_nothing_to_it() -> None:
    _, secret = create("program", scopes=Scope.values, now=datetime.now(UTC))
    both = visitor("Jobs viewer")
    with_token = {"Authorization": f"Bearer {secret}"}
    assert both.get(address("workers"), headers=with_token).status_code == 200
    assert both.post(address("action", "pause"), {"queue": "email"}, headers=with_token).status_code == 403


def test_who_is_not_signed_in_comes_back_after_the_login() -> None:
    response = Client().get(address("queue", "email"), {"window": "24h"})
    assert response.headers["Location"] == (
        "/admin/login/?next=/admin/monitoring/celery/queues/email/%3Fwindow%3D24h"
    )


def test_a_signed_in_customer_who_is_not_staff_gets_nowhere() -> None:
    user = User.objects.create_user("customer")
    user.user_permissions.set(Permission.objects.all())
    client = Client()
    client.force_login(user)
    assert client.get(address("changelist")).status_code == 302
    assert client.post(address("action", "pause"), {"queue": "email"}).status_code == 302


def test_the_page_that_refuses_names_the_permission() -> None:
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert "monitoring.view_celery" in client.get(address("workers")).content.decode()
    refusal = visitor("Jobs viewer").get(address("action", "pause"), {"queue": "email"})
    assert "bgjobs.pause_queue" in refusal.content.decode()


def test_the_pages_stand_in_the_sidebar_of_those_who_may_see_them() -> None:
    link = 'href="/admin/monitoring/celery/"'
    assert link in visitor().get("/admin/").content.decode()
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert link not in client.get("/admin/").content.decode()


def test_buttons_are_shown_to_those_who_may_press_them() -> None:
    pause = f"{address('action', 'pause')}?queue=critical"
    assert pause not in visitor("Jobs viewer").get(address("queue", "critical")).content.decode()
    shown = visitor("Jobs operator").get(address("queue", "critical")).content.decode()
    assert pause in shown
    assert address("action", "purge") not in shown


def test_the_groups_have_what_they_are_for_and_keep_what_is_added() -> None:
    viewer, operator, admin = (
        set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))
        for name in ("Jobs viewer", "Jobs operator", "Jobs admin")
    )
    assert "view_celery" in viewer
    assert "view_operatoraction" in viewer
    assert not viewer & set(PERMISSIONS)
    assert viewer < operator < admin
    assert set(PERMISSIONS) - operator == {"purge_queue", "control_worker", "view_task_args", "move_messages"}
    assert set(PERMISSIONS) <= admin


@pytest.mark.django_db(transaction=False)
def test_another_migrate_takes_nothing_from_a_group() -> None:
    group = Group.objects.get(name="Jobs viewer")
    before = group.permissions.count()
    group.permissions.add(Permission.objects.get(codename="add_user"))
    group.permissions.remove(Permission.objects.get(codename="view_celery"))
    call_command("migrate", "monitoring", verbosity=0)
    assert group.permissions.count() == before + 1
    assert Group.objects.filter(name__startswith="Jobs ").count() == 3
