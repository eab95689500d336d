"""What a page costs, in SQL statements and in round trips to the broker, however many there are of what it shows."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis.connection import AbstractConnection

from apps.core.models import DeadLetter, JobRun
from apps.monitoring import broker_trouble, looking

from ..broker.trial import text_of
from ..dead_letters.letters import made as letter
from .history import made as run
from .visitors import address, visitor

pytestmark = pytest.mark.django_db

FEW, MANY = 10, 2_000
QUEUES = ("email", "critical")
Cost = tuple[int, int]


@pytest.fixture
def client(server: redis.Redis) -> Client:
    return visitor("Jobs admin")


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One for each that is sent; a pipeline is one."""
    sent: list[None] = []
    real = AbstractConnection.send_packed_command

    def note(*args: Any, **kwargs: Any) -> Any:
        sent.append(None)
        return real(*args, **kwargs)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", note)
    return sent


def wait(server: redis.Redis, count: int) -> str:
    """So many jobs in each of two queues, and delayed; returns the one that waits for longest."""
    first = str(uuid.uuid4())
    for queue in QUEUES:
        texts = [text_of("work", number, queue=queue) for number in range(count)]
        server.lpush(queue, *texts)
        server.zadd(f"bgjobs:delayed:{queue}", {f"{queue}\n{text}": 9e9 for text in texts})
    server.rpush(QUEUES[0], text_of("work", queue=QUEUES[0], id=first))
    return first


def happen(count: int) -> None:
    """So many runs, half of them failed, with a letter for each of those."""
    events = ("succeeded", "failed")
    JobRun.objects.bulk_create(
        run(events[n % 2], ago=n, fingerprint=f"{n % 7:016}" if n % 2 else "", error="E" if n % 2 else "")
        for n in range(count)
    )
    DeadLetter.objects.bulk_create(letter(fingerprint=f"{n % 7:016}") for n in range(count // 2))


def costs(client: Client, round_trips: list[None], ask: Callable[[Client], Any]) -> Cost:
    ask(client)  # loads scripts, opens connections
    looking.forget()
    broker_trouble.forget()
    with CaptureQueriesContext(connection) as queries:
        before = len(round_trips)
        response = ask(client)
        assert response.status_code == 200, response
        return len(queries), len(round_trips) - before


PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "overview": ("changelist", {}),
    "api/metrics": ("api_metrics", {"window": "72h"}),
    "runs": ("runs", {"q": "state:failed"}),
    "failures": ("failures", {}),
}


def test_pages_cost_no_more_for_two_thousand_than_for_ten(
    client: Client, server: redis.Redis, round_trips: list[None]
) -> None:
    found: dict[int, dict[str, Cost]] = {}
    for count in (FEW, MANY):
        job = wait(server, count)
        happen(count)
        found[count] = {
            name: costs(client, round_trips, lambda one, page=page, query=query: one.get(address(page), query))
            for name, (page, query) in PAGES.items()
        }
        found[count]["run"] = costs(client, round_trips, lambda one, job=job: one.get(address("run", job)))
        ended = JobRun.objects.filter(event="succeeded").latest("ended_at").job
        found[count]["ended run"] = costs(client, round_trips, lambda one, job=ended: one.get(address("run", job)))
    for name, (statements, trips) in found[MANY].items():
        assert 0 < statements <= found[FEW][name][0], name
        assert 0 < trips <= found[FEW][name][1], name
