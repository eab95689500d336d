"""/metrics: who may scrape it, what it tells, and that it tells nothing that is not known."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.test import Client
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from apps.core.actions.models import OperatorAction
from apps.core.broker.configured import configured_store
from apps.core.circuit_breaker import Breaker, BreakerStore
from apps.core.circuit_breaker.store import KNOWN_KEY
from apps.core.metrics.events import field
from apps.core.models import Firing, ScheduleState
from apps.core.redis_client import new_store
from apps.core.schedules import rows
from apps.core.schedules.sign_of_life import KEY
from apps.core.schedules.sign_of_life import KNOWN_KEY as KNOWN_BEATS
from apps.core.upkeep import cleanup_firings
from apps.monitoring import looking
from apps.monitoring.networks import networks
from apps.monitoring.prometheus import gathering
from apps.monitoring.prometheus.families import FAMILIES
from apps.monitoring.tokens.issuing import create

from ..circuit_breaker.records import keys_of, open_breaker
from ..dead_letters import letters
from .outages import broker_down, database_down
from .promtool import promtool

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

ENTRY = "auto_close_jobs"
TOTAL = "bgjobs:counts:total"
Samples = dict[tuple[str, ...], float]  # by name, and its labels' values in the order of their names


@pytest.fixture(autouse=True)
def nothing_scraped_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "_last_success", None)


@pytest.fixture
def scraper() -> Client:
    _, secret = create("prometheus", scopes=["metrics"], now=datetime.now(UTC))
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def busy(server: redis.Redis) -> Iterator[redis.Redis]:
    """Something to tell in every family."""
    send = ("email", "-", "send_mail")
    counts = {
        **{field(event, *send): 3 for event in ("published", "started", "succeeded", "deduplicated")},
        field("failed", "email", "permanent", "send_mail"): 1,
        field("retried", "email", "transient", 'a "task"\\'): 1,
        field("wait_le", "email", "0", "send_mail"): 3,
        field("run_le", "email", "0", "send_mail"): 3,
        field("checked", "email", "claimed", "send_mail"): 3,
        field("rescued", "email"): 1,
    }
    server.hset(TOTAL, mapping=counts)
    server.lpush("email", "{}")
    server.sadd(KNOWN_BEATS, "beat-1")
    server.set(f"{KEY}beat-1", "1", ex=60)
    store = configured_store()
    store.pause("reports", seconds=0, why="ann: the disk is full")
    service = f"service-{uuid.uuid4().hex}"
    open_breaker(BreakerStore(new_store()), service, Breaker(failures=1, open_for=60))
    now = datetime.now(UTC)
    ScheduleState.objects.create(name=ENTRY, spec="", since=now, settled=now, missed=2)
    times = {"due": now, "started_at": now, "ended_at": now}
    Firing.objects.create(entry=ENTRY, outcome="succeeded", job="job", **times)
    letters.saved(reason="timeout")
    OperatorAction.objects.create(actor="ann", action="pause-queue", target="reports", reason="x", result="done")
    OperatorAction.objects.create(actor="ann", action="pause-queue", target="reports", reason="x")
    yield server
    store.resume("reports")
    server.delete(TOTAL, f"{KEY}beat-1", KNOWN_BEATS, *keys_of(service))
    server.zrem(KNOWN_KEY, service)


def text_of(client: Client, **headers: str) -> str:
    looking.forget()
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200, response.content
    return response.content.decode()


def samples_of(client: Client) -> Samples:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in plain(text_of(client))
        for sample in family.samples
    }


def test_promtool_finds_nothing_wrong(busy: redis.Redis, scraper: Client) -> None:
    promtool("check", "metrics", told=text_of(scraper))


def test_every_family_is_exported_and_no_other(busy: redis.Redis, scraper: Client) -> None:
    text = text_of(scraper)
    exported = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert exported == {family.name for family in FAMILIES}


def test_it_tells_what_is_so(busy: redis.Redis, scraper: Client) -> None:
    found = samples_of(scraper)
    assert found["bgjobs_task_published_total", "email", "send_mail"] == 3
    assert found["bgjobs_task_retried_total", "email", "transient", 'a "task"\\'] == 1
    assert found["bgjobs_task_wait_within_sla_total", "email"] == 3
    assert found["bgjobs_queue_length", "email", "ready"] == 1
    assert found["bgjobs_queue_length", "critical", "ready"] == 0
    assert found["bgjobs_queue_oldest_message_age_seconds", "critical"] == 0
    assert (found["bgjobs_queue_paused", "reports"], found["bgjobs_queue_paused", "email"]) == (1, 0)
    assert found["bgjobs_queue_consumers", "email"] == 0
    assert found["bgjobs_queue_slo_target", "email"] == 0.99
    assert {value for (name, *_), value in found.items() if name == "bgjobs_breaker_state"} == {2}
    assert found["bgjobs_beats_alive",] == 1
    assert found["bgjobs_schedule_missed_total", ENTRY] == 2
    assert found["bgjobs_schedule_next_due_timestamp_seconds", ENTRY] > datetime.now(UTC).timestamp()
    assert (found["bgjobs_dead_letters", "timeout"], found["bgjobs_dead_letters", "permanent"]) == (1, 0)
    assert found["bgjobs_operator_actions_total", "pause-queue", "done"] == 1
    assert ("bgjobs_operator_actions_total", "pause-queue", "started") not in found
    assert (found["bgjobs_up", "broker"], found["bgjobs_up", "database"]) == (1, 1)
    assert found["bgjobs_collector_last_success_timestamp_seconds",] == pytest.approx(
        datetime.now(UTC).timestamp(), abs=30
    )


def test_it_speaks_openmetrics_to_those_who_ask_for_it(busy: redis.Redis, scraper: Client) -> None:
    text = text_of(scraper, accept="application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    assert "bgjobs_task_published" in {family.name for family in openmetrics(text)}


def test_while_the_broker_is_down_it_tells_what_is_known_and_nothing_else(busy: redis.Redis, scraper: Client) -> None:
    before = samples_of(scraper)
    with broker_down():
        found = samples_of(scraper)
    names = {name for name, *_ in found}
    assert (found["bgjobs_up", "broker"], found["bgjobs_up", "database"]) == (0, 1)
    assert names.isdisjoint(
        {
            "bgjobs_queue_length",
            "bgjobs_queue_oldest_message_age_seconds",
            "bgjobs_queue_paused",
            "bgjobs_queue_consumers",
            "bgjobs_beats_alive",
            "bgjobs_broker_memory_used_ratio",
            "bgjobs_task_published_total",
            "bgjobs_task_wait_seconds_count",
        }
    )
    assert found["bgjobs_dead_letters", "timeout"] == 1
    assert found["bgjobs_queue_sla_seconds", "email"] == 5
    last = ("bgjobs_collector_last_success_timestamp_seconds",)
    assert found[last] == before[last]


def test_while_the_database_is_down_it_tells_what_is_known_and_nothing_else(
    busy: redis.Redis, scraper: Client
) -> None:
    before = samples_of(scraper)
    with database_down():
        found = samples_of(scraper)
    names = {name for name, *_ in found}
    assert (found["bgjobs_up", "broker"], found["bgjobs_up", "database"]) == (1, 0)
    assert names.isdisjoint(
        {
            "bgjobs_dead_letters",
            "bgjobs_outbox_pending",
            "bgjobs_operator_actions_total",
            "bgjobs_schedule_missed_total",
            "bgjobs_schedule_next_due_timestamp_seconds",
        }
    )
    assert found["bgjobs_queue_length", "email", "ready"] == 1
    last = ("bgjobs_collector_last_success_timestamp_seconds",)
    assert found[last] == before[last]


def test_a_process_that_has_never_succeeded_knows_when_another_one_did(busy: redis.Redis, scraper: Client) -> None:
    looking.look(now=datetime.now(UTC))  # as another process would
    with broker_down():
        assert ("bgjobs_collector_last_success_timestamp_seconds",) in samples_of(scraper)


def test_where_nobody_ever_succeeded_there_is_no_last_success(scraper: Client) -> None:
    with broker_down():
        assert ("bgjobs_collector_last_success_timestamp_seconds",) not in samples_of(scraper)


def test_without_a_token_it_is_closed() -> None:
    response = Client().get("/metrics")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_for_something_else_does_not_open_it() -> None:
    _, secret = create("probe", scopes=["api", "health"], now=datetime.now(UTC))
    assert Client().get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == 403


def test_it_is_only_read() -> None:
    assert Client(enforce_csrf_checks=True).post("/metrics").status_code == 405


@pytest.mark.parametrize(
    ("address", "headers", "expected"),
    [
        ("10.1.2.3", {}, 200),
        ("11.1.2.3", {}, 401),
        ("11.1.2.3", {"X-Forwarded-For": "10.1.2.3"}, 401),
        ("10.1.2.3", {"X-Forwarded-For": "11.1.2.3"}, 401),
        ("10.1.2.3", {"Forwarded": "for=11.1.2.3"}, 401),
        ("10.1.2.3", {"Authorization": "Bearer bgj_wrong"}, 401),
        ("", {}, 401),
    ],
)
def test_an_allowed_network_needs_no_token_unless_a_proxy_stands_between(
    settings: Any, address: str, headers: dict[str, str], expected: int
) -> None:
    settings.METRICS_ALLOWED_NETWORKS = networks(["10.0.0.0/8"])
    response = Client(REMOTE_ADDR=address).get("/metrics", headers=headers)
    assert response.status_code == expected


def test_the_count_of_missed_firings_only_grows_whoever_writes_and_removes_them() -> None:
    now = datetime.now(UTC)
    due = [now - timedelta(days=200, minutes=minutes) for minutes in (30, 20, 10)]
    ScheduleState.objects.create(name=ENTRY, spec="", since=due[0], settled=due[0] - timedelta(hours=1))
    rows.write_missed(ENTRY, due[:2], now, "no beat ran")
    rows.write_missed(ENTRY, due, now, "no beat ran")  # another beat, that knows of one more
    assert ScheduleState.objects.get().missed == 3
    cleanup_firings()
    assert not Firing.objects.exists()
    assert ScheduleState.objects.get().missed == 3
