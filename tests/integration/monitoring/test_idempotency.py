"""The page of idempotency keys: who holds one, and the shape of what it answers."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.core.idempotency import Claimed, records
from apps.core.idempotency.models import IdempotencyRecord

from .outages import broker_down
from .visitors import address, visitor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("server"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]

KEY = "send_mail:global:args=1"


@pytest.fixture
def operator() -> Client:
    return visitor("Jobs operator")


def shown(client: Client, key: str = KEY, status: int = 200) -> str:
    response = client.get(address("idempotency"), {"key": key})
    assert response.status_code == status
    return response.content.decode()


def test_a_key_that_nobody_holds_is_free(operator: Client) -> None:
    assert "Nobody holds this key" in shown(operator)
    assert "A key is the task" in operator.get(address("idempotency")).content.decode()


def test_the_holder_of_a_running_key_is_named_and_can_lose_it(operator: Client) -> None:
    records().claim(KEY, job="the-job")
    html = shown(operator)
    assert address("run", "the-job") in html
    assert "✔ alive" in html
    assert f"{address('action', 'release_key')}?key=" in html


def test_a_stored_result_is_told_by_its_shape_alone(operator: Client) -> None:
    claim = records().claim(KEY, job="the-job")
    assert isinstance(claim, Claimed)
    records().succeed(claim, {"password": "hunter2", "other": 1}, 60)
    html = shown(operator)
    assert "an object with 2 names" in html
    assert "hunter2" not in html
    assert "password" not in html


def test_what_the_database_answers_is_shown_even_without_the_broker(operator: Client) -> None:
    until = timezone.now() + timedelta(hours=1)
    IdempotencyRecord.objects.create(
        job="durable-job", key=KEY, task="send_mail", result='{"value": [1, 2]}', expires_at=until
    )
    assert "a list of 2" in shown(operator)
    with broker_down():
        html = shown(operator)
        assert "durable-job" in html
        assert "Who holds it is not known now" in html
        assert "Nobody holds this key" not in html


@pytest.mark.parametrize("key", ["a\0b", "a\nb", "x" * 2001])
def test_what_can_be_no_key_is_said_to_be_none(operator: Client, key: str) -> None:
    assert "A key " in shown(operator, key, 400)
