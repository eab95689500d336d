"""Each situation of docs/runbook.md on real servers: brought about, seen as the runbook says, and repaired.

What is seen and what is done stands in the document alone; here is only how to get there.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from celery import current_app
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.core.broker.configured import configured_store
from apps.core.circuit_breaker import Breaker, BreakerStore
from apps.core.circuit_breaker.store import Admitted
from apps.core.dead_letters.mover import Mover
from apps.core.health.snapshot import take
from apps.core.health.verdict import verdict
from apps.core.models import DeadLetter, Firing, ScheduleState
from apps.core.redis_client import connect
from apps.core.runs.archive import Archiver
from apps.core.story import tell
from apps.monitoring import broker_trouble, looking

from ..broker.broker_servers import BrokerServer
from ..broker.trial import text_of
from ..outages import relay
from ..workers import SEEN, Worker, eventually
from . import runbook_jobs as jobs
from .outages import database_down
from .runbook import Section, sections
from .visitors import address, visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

INCLUDE = "--include=tests.integration.monitoring.runbook_jobs"
QUEUES = "--queues=critical,high_priority,email,reports,external_api,maintenance"


def environment(**more: str) -> dict[str, str]:
    """Of a process that works on the test's own database."""
    name = connection.settings_dict["NAME"]
    return {"DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl(), **more}


@pytest.fixture(scope="module")
def crew(django_db_setup: None) -> Iterator[dict[str, Worker]]:
    """Two workers for all situations; of `doomed` it is soon noticed that it is dead."""
    quick = {"TEST_HEARTBEAT_EVERY": "0.2", "TEST_DEAD_AFTER": "0.6"}
    made = {
        "usual": Worker(INCLUDE, QUEUES, "--concurrency=2", "--hostname=usual@test", environment=environment()),
        "doomed": Worker(
            *(INCLUDE, "--queues=ml_training", "--pool=threads", "--concurrency=2", "--hostname=doomed@test"),
            environment=environment(**quick),
        ),
    }
    for one in made.values():
        eventually(lambda one=one: any(" ready." in line for line in one.lines))
    yield made
    for one in made.values():
        one.stop()


@pytest.fixture
def broker(crew: dict[str, Worker], server: redis.Redis) -> Iterator[redis.Redis]:
    """The workers' server, with nothing on it."""
    current_app.outlet._spared_until = 0.0
    server.delete(jobs.MENDED, jobs.STARTED)
    yield server
    server.delete(jobs.MENDED, jobs.STARTED)
    server.lpush("test:release", *"goes on" * 4)


@pytest.fixture
def client() -> Client:
    return visitor("Jobs admin")


def problems(client: Client) -> list[dict[str, Any]]:
    looking.forget()
    broker_trouble.forget()
    found: list[dict[str, Any]] = client.get(address("api_metrics")).json()["problems"]
    return found


def status() -> str:
    """What `jobs status` says, in one line."""
    out = StringIO()
    with suppress(CommandError):  # of a broker that is down
        call_command("jobs", "status", stdout=out)
    return " ".join(out.getvalue().split())


def is_seen(section: Section, client: Client) -> bool:
    """Both by the API, of which the overview is made, and by the command."""
    says = section.says()
    told = [
        f"{one['message']}: {one['cause']}" if one["cause"] else one["message"]
        for one in problems(client)
        if one["code"] == section.code
    ]
    return any(map(says.fullmatch, told)) and says.search(status()) is not None


def is_over(section: Section, client: Client) -> bool:
    return section.code not in [one["code"] for one in problems(client)]


def do(section: Section, begins: str, **names: str) -> str:
    """Runs the command of the runbook that begins so."""
    out = StringIO()
    call_command("jobs", *section.command(f"manage.py jobs {begins}", **names), stdout=out)
    return out.getvalue()


@contextmanager
def running(*command: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs until it is stopped."""
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, **environment(**more)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def started_by(section: Section, begins: str, **names: str) -> Any:
    settings = "tests.integration.monitoring.runbook_settings"
    arguments = section.command(f"manage.py jobs {begins}", **names)
    return running("manage.py", "jobs", *arguments, DJANGO_SETTINGS_MODULE=settings)


def archive() -> None:
    """What a relay does."""
    store = configured_store()
    mover, archiver = Mover(store), Archiver(store)
    while mover.work() or archiver.work():
        pass


def letters(reason: str) -> Callable[[], bool]:
    def there() -> bool:
        archive()
        return DeadLetter.objects.filter(reason=reason, state="open").exists()

    return there


def seen(server: redis.Redis, task: Any) -> list[str]:
    """The jobs of this task that have reported."""
    lines = map(json.loads, server.lrange(SEEN, 0, -1))
    return [line["job"] for line in lines if line["task"] == task.name]


def put(server: redis.Redis, task: str, queue: str, *, late_by: float = 0, count: int = 1) -> None:
    """Jobs that might have started so long ago."""
    for _ in range(count):
        message = json.loads(text_of("", queue=queue))
        message["headers"]["task"] = task
        server.lpush(queue, f'{json.dumps(message)[:-1]}, "ready_at": {time.time() - late_by:.6f}}}')


def why(job: str) -> str:
    archive()
    out = StringIO()
    call_command("jobs", "why", job, stdout=out)
    return out.getvalue()


# jobs that wait


def test_queue_build_up(broker: redis.Redis, client: Client) -> None:
    section = sections()["Queue build-up"]
    for _ in range(2):
        jobs.long.delay()
    eventually(lambda: len(seen(broker, jobs.long)) == 2)
    put(broker, jobs.nothing.name, "critical", late_by=5, count=3)
    eventually(lambda: is_seen(section, client))
    with started_by(section, "worker", POOL="critical"):
        eventually(lambda: is_over(section, client))
    assert len(seen(broker, jobs.nothing)) == 3


def test_queue_paused_and_where_is_my_job(broker: redis.Redis, client: Client) -> None:
    call_command("jobs", "pause", "critical", "--reason", "the network is repaired", stdout=StringIO())
    section, where = sections()["Queue paused"], sections()["Where is my job?"]
    job = jobs.nothing.delay().id
    assert is_seen(section, client)
    assert where.says("`jobs why` says").match(do(where, "why", JOB=job))
    assert where.says("`jobs why` says").search(_text(client, "run", job))
    assert where.code == section.code
    do(section, "resume", QUEUE="critical")
    eventually(lambda: seen(broker, jobs.nothing))
    eventually(lambda: "It is done" in why(job))
    assert is_over(section, client)
    do(where, "resume", QUEUE="critical")


def _text(client: Client, page: str, *names: str, **query: str) -> str:
    return " ".join(client.get(address(page, *names), query).content.decode().split())


def test_sla_burn(broker: redis.Redis, client: Client) -> None:
    section = sections()["SLA burn"]
    put(broker, jobs.nothing.name, "critical", late_by=60, count=8)
    eventually(lambda: len(seen(broker, jobs.nothing)) == 8)
    eventually(lambda: is_seen(section, client))
    do(section, "fuse", TASK=jobs.nothing.name)
    do(section, "unfuse", TASK=jobs.nothing.name)
    later = take(now=timezone.now() + timedelta(minutes=6))
    assert section.code not in [one.code for one in verdict(later).problems]


def test_worker_gone_with_a_duplicate_execution_and_a_task_that_is_not_found(
    crew: dict[str, Worker], broker: redis.Redis, client: Client
) -> None:
    not_found, gone, twice = (sections()[name] for name in ("Task not found", "Worker gone", "Duplicate execution"))
    put(broker, jobs.NEW, "ml_training")
    eventually(letters("unknown_task"))
    assert is_seen(not_found, client)
    job = jobs.long_at_first.delay().id
    eventually(lambda: seen(broker, jobs.long_at_first))
    crew["usual"].process.send_signal(signal.SIGSTOP)  # or it would give back what the dead one holds
    try:
        crew["doomed"].kill()
        eventually(lambda: is_seen(gone, client), 3)
    finally:
        crew["usual"].process.send_signal(signal.SIGCONT)
    with started_by(gone, "worker", POOL="ml_training"):
        eventually(lambda: seen(broker, jobs.long_at_first) == [job, job])
        assert is_over(gone, client)
        eventually(lambda: twice.says("`jobs why` says").match(why(job)))
        assert "lost" in _text(client, "runs", q=f"job:{job}")
        do(twice, "why", JOB=job)
        do(not_found, "retry")
        relay()
        eventually(lambda: any(jobs.NEW in line for line in broker.lrange(SEEN, 0, -1)))
    assert is_over(not_found, client)


# jobs that fail


def test_jobs_given_up(broker: redis.Redis, client: Client) -> None:
    section = sections()["Jobs given up"]
    jobs.bad.delay()
    eventually(letters("permanent"))
    assert is_seen(section, client)
    broker.set(jobs.MENDED, 1)
    fingerprint = DeadLetter.objects.get().fingerprint
    assert fingerprint in do(section, "dead-letters")
    do(section, "retry", FINGERPRINT=fingerprint)
    relay()
    eventually(lambda: seen(broker, jobs.bad))
    assert is_over(section, client)


def test_poison_job(broker: redis.Redis, client: Client) -> None:
    section = sections()["Poison job"]
    jobs.deadly.delay()
    eventually(letters("poison"))
    assert is_seen(section, client)
    do(section, "discard")
    assert is_over(section, client)


def test_retry_storm(broker: redis.Redis, client: Client) -> None:
    section = sections()["Retry storm"]
    for _ in range(4):
        jobs.flaky.delay()

    def retried() -> int:
        looking.forget()
        tasks = client.get(address("api_metrics")).json()["tasks"]
        return sum(sum(one["retries"].values()) for one in tasks if one["name"] == jobs.flaky.name)

    eventually(lambda: retried() >= 4)
    do(section, "fuse", TASK=jobs.flaky.name)
    assert is_seen(section, client)
    eventually(lambda: broker.zcard("bgjobs:delayed:external_api") == 4)
    before = retried()
    broker.set(jobs.MENDED, 1)
    assert not seen(broker, jobs.flaky)
    do(section, "unfuse", TASK=jobs.flaky.name)
    eventually(lambda: len(seen(broker, jobs.flaky)) == 4)
    assert is_over(section, client)
    assert retried() == before


def test_breaker_open(broker: redis.Redis, client: Client) -> None:
    section, service = sections()["Breaker open"], "the card processor"
    store, options = BreakerStore(connect(os.environ["BROKER_URL"])), Breaker(failures=2, open_for=1.0)
    for number in range(options.failures):
        admitted = store.admit(service, f"call {number}", lease=10)
        assert isinstance(admitted, Admitted)
        store.fail(service, admitted, options)
    store.park(service, "a job")
    assert is_seen(section, client)

    def asked_again() -> bool:
        probe = store.admit(service, "probe", lease=10)
        return isinstance(probe, Admitted) and store.succeed(service, probe)

    eventually(asked_again)
    assert is_over(section, client)
    assert service not in do(section, "status")


def test_stuck_key(broker: redis.Redis, client: Client) -> None:
    section = sections()["Stuck key"]
    holder = jobs.one_at_a_time.delay(7).id
    eventually(lambda: seen(broker, jobs.one_at_a_time) == [holder])
    stuck = jobs.one_at_a_time.delay(7).id
    eventually(lambda: section.says("`jobs why` says").match(why(stuck)))
    key = tell(stuck).key_name
    assert key is not None
    assert holder in do(section, "idempotency", KEY=key)
    do(section, "release-key", KEY=key)
    eventually(lambda: seen(broker, jobs.one_at_a_time) == [holder, stuck])


# the timetable


def test_missed_firing(broker: redis.Redis, client: Client) -> None:
    section, entry = sections()["Missed firing"], "cleanup_runs"
    due = timezone.now() - timedelta(hours=2)
    ScheduleState.objects.create(name=entry, spec="x", since=due, settled=timezone.now())
    Firing.objects.create(entry=entry, due=due, outcome=Firing.Outcome.MISSED, ended_at=due)
    assert is_seen(section, client)
    do(section, "fire", ENTRY=entry)
    eventually(lambda: is_over(section, client))


def test_beat_dead(broker: redis.Redis, client: Client) -> None:
    section = sections()["Beat dead"]
    day_ago = timezone.now() - timedelta(days=1)
    ScheduleState.objects.create(name="cleanup_firings", spec="x", since=day_ago, settled=day_ago)
    assert is_seen(section, client)
    with running("-m", *section.command("celery")):
        eventually(lambda: is_over(section, client))


# servers


@pytest.fixture
def own_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[BrokerServer]:
    made = BrokerServer("valkey")
    monkeypatch.setitem(current_app.conf, "broker_url", made.url)
    yield made
    made.close()


def test_broker_down(own_broker: BrokerServer, client: Client) -> None:
    section = sections()["Broker down"]
    assert is_over(section, client)
    own_broker.kill()
    assert is_seen(section, client)
    with pytest.raises(CommandError):
        do(section, "status")
    own_broker.start()
    assert is_over(section, client)
    do(section, "status")


def test_broker_full(own_broker: BrokerServer, client: Client) -> None:
    section = sections()["Broker full"]
    assert is_over(section, client)
    used = int(own_broker.client.info("memory")["used_memory"])
    own_broker.client.config_set("maxmemory", int(used * 1.1))
    assert is_seen(section, client)
    own_broker.client.execute_command(*section.command("valkey-cli")[1:])
    assert is_over(section, client)


def test_database_down(broker: redis.Redis, client: Client) -> None:
    section = sections()["Database down"]
    client.get(address("changelist"))  # which gives the emergency pass
    with database_down():
        assert is_seen(section, client)
        assert section.says().search(do(section, "status"))
    assert is_over(section, client)
