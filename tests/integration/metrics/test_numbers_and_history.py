"""What the scripts count and what the history holds is the same, from the ends of attempts to both of the readers."""

import json
import time
from types import SimpleNamespace

import pytest
from django.db.models import Count, Sum

from apps.core.broker import run_notes
from apps.core.broker.failure import Failure
from apps.core.broker.store import Entry, MessageStore
from apps.core.context import READY_AT_HEADER
from apps.core.metrics import events
from apps.core.metrics.reader import Window, read, totals
from apps.core.runs.archive import Archiver
from apps.core.runs.models import JobRun

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = ["critical", "email"]
MEASURES: tuple[events.Measure, ...] = ("wait", "run")
TASKS = ["send mail", "escalate"]
FAILURE = Failure(error="TimeoutError", text="no answer", traceback="", frames=("/app/mail.py:send",))


def publish(store: MessageStore, count: int) -> None:
    for number in range(count):
        queue, task = QUEUES[number % 2], TASKS[number % 2]
        text = {"headers": {"id": f"j{number}", "task": task, READY_AT_HEADER: time.time() - 2}}
        store.publish(queue, queue, json.dumps(text), task=task)


def beat(store: MessageStore, owner: str) -> dict[str, int]:
    return store.pulse([owner], queues=QUEUES, all_queues=QUEUES).rescued


def claimed(store: MessageStore, owner: str, most: int, call: int = 1) -> tuple[Entry, ...]:
    beat(store, owner)
    found = store.claim(owner, call=call, most=most, queues=QUEUES)
    assert found is not None
    return found.entries


def note_of(entry: Entry, event: str, reason: str = "-") -> str:
    """As the worker's main process writes it. The attempt took half a second."""
    headers = json.loads(entry.text)["headers"]
    request = SimpleNamespace(
        id=headers["id"],
        name=headers["task"],
        message=SimpleNamespace(headers=headers, entry=entry),
        time_start=time.time() - 0.5,
        hostname="email@host",
        worker_pid=7,
        shown=(f"({headers['id']!r},)", "{}"),
    )
    failure = FAILURE if event == events.FAILED else None
    return run_notes.of_request(request, event, reason, told={"check": "claimed", "check_us": 700}, failure=failure)


def bury(store: MessageStore, owner: str) -> None:
    """The process has been silent for long."""
    store.client.delete(store.key("owner", owner), store.key("quiet"))
    store.client.hset(store.key("suspects"), owner, "1000.0")


def test_counts_and_history_agree(store: MessageStore) -> None:
    publish(store, 60)
    first = claimed(store, "a", 40)
    done = {entry.lease: note_of(entry, events.SUCCEEDED) for entry in first[:30]}
    failed = {entry.lease: note_of(entry, events.FAILED, "transient") for entry in first[30:40]}
    assert store.acknowledge("a", list(done), done) == 30
    claimed_next = store.claim("a", call=2, most=17, queues=QUEUES, acknowledged=list(failed), notes=failed)
    assert claimed_next is not None
    for entry in claimed_next.entries[:3]:
        assert store.quarantine("a", entry.lease, "{}", note_of(entry, events.FAILED, "poison")) == 1
    assert len(claimed(store, "dead", 100)) == 3
    bury(store, "dead")
    assert beat(store, "a") == {"dead": 3}

    archiver = Archiver(store)
    while archiver.work():
        pass
    assert (archiver.unreadable, store.client.xlen(store.key("runs"))) == (0, 0)
    for numbers in (totals(store), *(read(store, window) for window in Window)):
        assert numbers.count("published") == 60
        assert numbers.count("started") == 43
        assert numbers.count("rescued") == 3
        rows = JobRun.objects.exclude(event="lost").values_list("event", "reason", "queue", "task")
        ends = rows.annotate(count=Count("id")).order_by()
        assert sum(count for *_, count in ends) == 43
        for event, reason, queue, task, count in ends:
            assert numbers.count(event, reason=reason or "-", queue=queue, task=task) == count
        for measure in MEASURES:
            told = JobRun.objects.aggregate(count=Count(f"{measure}_seconds"), seconds=Sum(f"{measure}_seconds"))
            histogram = numbers.histogram(measure)
            assert histogram.count == told["count"] == 43
            assert histogram.sum_seconds == pytest.approx(told["seconds"], abs=1e-5)
        assert (numbers.histogram("run").within(0.25), numbers.histogram("run").within(1)) == (0, 43)
        assert numbers.count("checked", reason="claimed") == numbers.histogram("check").within(0.001) == 43
    assert {run.error for run in JobRun.objects.filter(event="failed")} == {"TimeoutError"}
    lost = JobRun.objects.filter(event="lost")
    assert [(run.attempt, run.key.partition(" ")[0]) for run in lost] == [(None, "dead")] * 3
    assert {(run.attempt, run.pid, run.worker) for run in JobRun.objects.exclude(event="lost")} == {
        (1, 7, "email@host")
    }
