"""The page of the workers: what each says of itself, and how to start one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from django.test import Client

from apps.core.broker.cards import Card, RunningJob
from apps.core.health.queue_health import WorkerHealth
from apps.monitoring import looking
from apps.monitoring.views import workers as page

from .outages import broker_down
from .visitors import address, visitor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("server"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]

NOW = datetime.now(UTC).timestamp()
CARD = Card(
    owner="host:7:abc",
    node="critical@host",
    host="host",
    pid=7,
    pool="prefork",
    queues=("critical", "email"),
    slots=8,
    busy=1,
    rss_bytes=50 * 1024 * 1024,
    version="0.1.0",
    started_at=NOW - 3600,
    at=NOW,
    jobs=(RunningJob(job="job-1", task="auto_close_jobs", queue="critical", since=NOW - 5),),
)


@pytest.fixture
def admin(server: redis.Redis) -> Client:
    server.delete("bgjobs:owners")  # of workers that an earlier test has killed
    return visitor("Jobs admin")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets it look as if these workers ran."""

    def these(*workers: WorkerHealth) -> None:
        def look(**asked: Any) -> looking.Look:
            seen = looking.look(**asked)
            return replace(seen, snapshot=replace(seen.snapshot, workers=workers))

        monkeypatch.setattr(page, "look", look)

    return these


def health(card: Card | None = CARD, **facts: Any) -> WorkerHealth:
    return WorkerHealth(**{"owner": "host:7:abc", "alive": True, "leases": {"critical": 3}, "card": card} | facts)


def shown(client: Client) -> str:
    response = client.get(address("workers"))
    assert response.status_code == 200
    return response.content.decode()


def test_without_workers_the_page_says_how_to_start_one(admin: Client) -> None:
    html = shown(admin)
    assert "No worker runs" in html
    assert "celery -A intelliwiz_config worker -Q critical,high_priority,email --loglevel=info" in html


def test_a_worker_tells_what_it_is_and_does(admin: Client, run: Callable[..., None]) -> None:
    run(health())
    html = shown(admin)
    for told in ("critical@host", "1 of 8", "3 messages", "50.0", "0.1.0", "✔ ALIVE", "critical, email"):
        assert told in html, told
    assert address("run", "job-1") in html
    assert f"{address('action', 'stop')}?worker=critical%40host" in html


def test_what_a_worker_does_not_say_is_unknown_and_not_0(admin: Client, run: Callable[..., None]) -> None:
    run(health(replace(CARD, slots=None, rss_bytes=None, version=None)), health(None, owner="host:8:def"))
    html = shown(admin)
    assert "1 of unknown" in html
    assert html.count("<dd>unknown</dd>") == 2
    assert "It says nothing of itself. It holds 3 messages: critical 3." in html


def test_a_silent_worker_and_a_mix_of_versions_are_named_in_words(admin: Client, run: Callable[..., None]) -> None:
    run(health(alive=False), health(replace(CARD, version="0.2.0"), owner="host:9:ghi"))
    html = shown(admin)
    assert "✖ SILENT" in html
    assert html.index("✔ ALIVE") < html.index("✖ SILENT")
    assert "Different versions run:" in html
    assert "0.1.0, 0.2.0" in html


def test_without_the_broker_who_works_is_unknown(admin: Client) -> None:
    with broker_down():
        html = shown(admin)
    assert "not known now" in html
    assert "No worker runs" not in html
