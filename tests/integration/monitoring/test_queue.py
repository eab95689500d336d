"""The page of a queue: its wait against the SLA, its tasks, and who is next."""

from collections.abc import Iterator

import pytest
import redis
from django.test import Client

from apps.core.broker.configured import configured_store
from apps.core.metrics.events import field

from ..broker.trial import text_of
from .outages import broker_down
from .visitors import address, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture
def viewer() -> Client:
    return visitor()


@pytest.fixture
def counted(server: redis.Redis) -> Iterator[None]:
    """Two jobs of one task in this minute, one of which waited longer than it should."""
    minute = int(server.time()[0]) // 60
    key = f"bgjobs:counts:m:{minute}"
    server.set("bgjobs:counts:open", minute)  # so it is read beside its hour, too
    counts = {
        field("started", "critical", task="close"): 2,
        field("succeeded", "critical", task="close"): 1,
        field("failed", "critical", "permanent", "close"): 1,
        field("wait_le", "critical", "0", "close"): 1,
        field("wait_le", "critical", "8", "close"): 1,
        field("run_le", "critical", "2", "close"): 2,
        field("started", "email", task="other"): 5,
    }
    for name, count in counts.items():
        server.hset(key, name, count)
    yield
    server.delete(key, "bgjobs:counts:open")


def shown(client: Client, queue: str = "critical", **query: str) -> str:
    response = client.get(address("queue", queue), query)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.usefixtures("server")
def test_an_empty_queue_says_how_jobs_come_into_it(viewer: Client) -> None:
    html = shown(viewer)
    assert "Nothing waits." in html
    assert "No job of this queue has been counted" in html
    assert "within 2s" in html


@pytest.mark.usefixtures("counted")
def test_tasks_are_measured_against_the_sla_of_their_queue(viewer: Client) -> None:
    response = viewer.get(address("queue", "critical"), {"window": "5m"})
    (row,) = response.context["tasks"]
    assert (row.name, row.started, row.succeeded, row.failed, row.attainment) == ("close", 2, 1, 1, 0.5)
    assert "above it in 1 of 1 minutes in which jobs started" in response.content.decode()
    assert '<strong aria-current="true">5m</strong>' in response.content.decode()
    assert "50%" in response.content.decode()


def test_those_who_are_next_come_first_however_many_wait(viewer: Client, server: redis.Redis) -> None:
    store = configured_store()
    for number in range(60):
        store.publish("critical", "critical", text_of("work", number, queue="critical", id=f"job-{number}"))
    server.lpush("critical", "this is no message")
    response = viewer.get(address("queue", "critical"))
    assert [one.job for one in response.context["waiting"]] == [f"job-{number}" for number in range(50)]
    assert all(one.ready_at is not None and one.task == "test.trial.work" for one in response.context["waiting"])
    assert 'type="checkbox"' not in response.content.decode()  # a viewer selects nothing


def test_what_cannot_be_read_is_shown_as_such(viewer: Client, server: redis.Redis) -> None:
    server.lpush("critical", "this is no message")
    server.lpush("critical", text_of("work", queue="critical")[:-1] + ', "ready_at": 1e300}')
    response = viewer.get(address("queue", "critical"))
    assert [one.ready_at for one in response.context["waiting"]] == [None, None]
    assert "(not readable)" in response.content.decode()


@pytest.mark.usefixtures("server")
def test_a_pause_is_shown_with_who_and_why(viewer: Client) -> None:
    configured_store().pause("critical", seconds=0, why="ada: <i>roll-out</i>")
    html = shown(viewer)
    assert "‖ paused" in html
    assert "ada: &lt;i&gt;roll-out&lt;/i&gt;" in html
    assert "until it is resumed" in html


@pytest.mark.usefixtures("server")
def test_without_the_broker_nothing_is_made_up(viewer: Client) -> None:
    with broker_down():
        html = shown(viewer)
    assert "Not known now" in html
    assert "<dt>Ready</dt><dd>unknown</dd>" in html
    assert "nothing waits" not in html


def test_an_unknown_queue_is_no_page(viewer: Client) -> None:
    response = viewer.get(address("queue", "critcal"))
    assert response.status_code == 404
    assert "did you mean &#x27;critical&#x27;?" in response.content.decode()
