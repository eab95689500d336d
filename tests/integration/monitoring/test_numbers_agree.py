"""After a run whose numbers are known, the page, the JSON, Prometheus and PostgreSQL say the same, exactly."""

import html
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from django.db.models import Count
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from apps.core.broker.configured import configured_store
from apps.core.dead_letters.mover import Mover
from apps.core.models import DeadLetter, JobRun
from apps.core.runs.archive import Archiver
from apps.monitoring.networks import networks
from intelliwiz_config.celery import app

from ..workers import Worker, eventually, unfinished
from .number_jobs import ENDLESS_QUEUE, QUEUE, bad, endless_at_first, flaky, good, once
from .visitors import address, visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(180)]

GOOD, BAD, FLAKY, ONCE, ENDLESS = 1_480, 200, 100, 100, 20  # and each of ONCE a second time: 2,000 jobs
INCLUDED = "--include=tests.integration.monitoring.number_jobs"
THREADS = ("--pool=threads", "--concurrency=10")
PUBLISHED = {"good": GOOD, "bad": BAD, "flaky": 2 * FLAKY, "once": 2 * ONCE, "endless_at_first": ENDLESS}
ENDED = {
    "good": {"succeeded": GOOD},
    "bad": {"failed": BAD},
    "flaky": {"succeeded": FLAKY, "retried": FLAKY},
    "once": {"succeeded": ONCE, "deduplicated": ONCE},
    "endless_at_first": {"succeeded": ENDLESS, "lost": ENDLESS},
}


@pytest.fixture
def finished(server: redis.Redis, worker: Callable[..., Worker]) -> Iterator[None]:
    """The run: all but the endless jobs on one worker; those on two others, which are killed."""
    server.delete("test:killed")
    doomed = [worker(INCLUDED, f"--queues={ENDLESS_QUEUE}", *THREADS, f"--hostname=d{n}@test") for n in range(2)]
    app.enqueue_many(endless_at_first.s(number) for number in range(ENDLESS))
    worker(INCLUDED, f"--queues={QUEUE}", *THREADS, "--hostname=busy@test")
    app.enqueue_many(
        [
            *(good.s(number) for number in range(GOOD)),
            *(bad.s(number) for number in range(BAD)),
            *(flaky.s(number) for number in range(FLAKY)),
            *(once.s(number) for number in range(ONCE)),
        ]
    )
    eventually(lambda: unfinished(server, QUEUE) == ENDLESS, 60)  # the others, whose jobs do not end
    app.enqueue_many(once.s(number) for number in range(ONCE))
    eventually(lambda: unfinished(server, QUEUE) == ENDLESS, 30)
    store = configured_store()
    eventually(lambda: sum(card.busy for card in store.cards(_owners(server)).values()) == ENDLESS)
    for one in doomed:
        one.kill()
    server.set("test:killed", 1)
    worker(INCLUDED, f"--queues={ENDLESS_QUEUE}", *THREADS, "--hostname=heir@test")
    eventually(lambda: unfinished(server, ENDLESS_QUEUE) == 0, 30)
    archiver, mover = Archiver(store), Mover(store)
    eventually(lambda: not archiver.work() and not server.xlen("bgjobs:runs"))
    eventually(lambda: not mover.work() and not server.hlen("bgjobs:quarantine"))
    yield
    server.delete("test:killed")


def _owners(server: redis.Redis) -> list[str]:
    return sorted(server.smembers("bgjobs:owners"))


def test_all_say_the_same(finished: None, settings: Any) -> None:
    assert in_postgresql() == ENDED
    client = visitor("Jobs admin")
    assert in_json(client) == {
        name: {
            "published": PUBLISHED[name],
            "started": sum(ends.values()),
            "succeeded": ends.get("succeeded", 0),
            "failed": ends.get("failed", 0),
            "retried": ends.get("retried", 0),
        }
        for name, ends in ENDED.items()
    }
    assert on_pages(client) == {
        name: (sum(ends.values()), ends.get("succeeded", 0), ends.get("failed", 0), ends.get("retried", 0))
        for name, ends in ENDED.items()
    }
    settings.METRICS_ALLOWED_NETWORKS = networks(["127.0.0.0/8"])
    told = in_prometheus(Client())
    assert told["published"] == PUBLISHED
    assert told["started"] == {name: sum(ends.values()) for name, ends in ENDED.items()}
    for event in ("succeeded", "failed", "retried", "deduplicated"):
        assert told[event] == {name: ends[event] for name, ends in ENDED.items() if event in ends}, event
    assert told["rescued"] == {ENDLESS_QUEUE: ENDLESS}
    assert DeadLetter.objects.count() == BAD
    assert told["dead_letters"]["permanent"] == BAD
    assert told["checks"]["claimed"] == ONCE
    assert told["checks"]["answered"] == ONCE
    assert told["waits"] == {QUEUE: GOOD + BAD + 2 * FLAKY + 2 * ONCE, ENDLESS_QUEUE: ENDLESS}


def in_postgresql() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    rows = JobRun.objects.order_by().values_list("task", "event").annotate(count=Count("pk"))
    for task, event, count in rows:
        found.setdefault(short(task), {})[event] = count
    return found


def in_json(client: Client) -> dict[str, dict[str, int]]:
    told = client.get(address("api_metrics"), {"window": "1h"}).json()
    return {
        short(task["name"]): {name: task[name] for name in ("published", "started", "succeeded", "failed")}
        | {"retried": sum(task["retries"].values())}
        for task in told["tasks"]
    }


def on_pages(client: Client) -> dict[str, tuple[int, ...]]:
    """Started, succeeded, failed and retried of each task, from the tables of the two queues."""
    found = {}
    for queue in (QUEUE, ENDLESS_QUEUE):
        text = client.get(address("queue", queue), {"window": "1h"}).content.decode()
        for row in re.findall(r"<tr><th[^>]*>(test\.numbers\..*?)</tr>", text):
            name, *cells = (html.unescape(cell) for cell in re.sub(r"<[^>]*>", "\n", row).split("\n") if cell)
            found[short(name)] = tuple(int(cell.replace(",", "")) for cell in cells[:4])
    return found


def in_prometheus(client: Client) -> dict[str, Counter[str]]:
    response = client.get("/metrics")
    assert response.status_code == 200, response.content
    found: dict[str, Counter[str]] = {}
    for family in text_string_to_metric_families(response.content.decode()):
        for sample in family.samples:
            for name, (series, label) in SERIES.items():
                if sample.name == series and sample.value:
                    found.setdefault(name, Counter())[short(sample.labels[label])] += int(sample.value)
    return found


SERIES = {
    **{
        event: (f"bgjobs_task_{event}_total", "task")
        for event in ("published", "started", "succeeded", "failed", "retried", "deduplicated")
    },
    "rescued": ("bgjobs_rescued_total", "queue"),
    "dead_letters": ("bgjobs_dead_letters", "reason"),
    "checks": ("bgjobs_idempotency_checks_total", "outcome"),
    "waits": ("bgjobs_task_wait_seconds_count", "queue"),
}


def short(task: str) -> str:
    return task.removeprefix("test.numbers.")
