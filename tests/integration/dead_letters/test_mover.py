"""What is in quarantine becomes a row, once, whatever dies when and whatever it holds."""

import json
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.db import connection

from apps.core import steps
from apps.core.broker.messages import Outgoing
from apps.core.broker.quarantine import record
from apps.core.broker.store import MessageStore
from apps.core.dead_letters.models import DeadLetter
from apps.core.dead_letters.mover import Mover
from apps.core.dead_letters.replay import replay
from apps.core.dead_letters.selection import Selection
from apps.core.outbox import rows

from ..broker.trial import text_of
from .conftest import QUEUE, killed_at

pytestmark = pytest.mark.django_db(transaction=True)
OWNER = "host:1:abc"


def set_aside(store: MessageStore, text: bytes, *, reason: str = "permanent", count: int = 1) -> None:
    """Publishes, claims and quarantines a message."""
    for _ in range(count):
        store.client.lpush(store.prefix + QUEUE, text)
    store.pulse([OWNER], queues=[QUEUE], all_queues=[QUEUE])
    claimed = store.claim(OWNER, call=time.time_ns() // 1000, most=count, queues=[QUEUE])
    assert claimed is not None
    assert len(claimed.entries) == count
    for entry in claimed.entries:
        assert store.quarantine(OWNER, entry.lease, record(entry, reason)) == 1


def test_a_mover_that_dies_before_it_removes_the_record_has_moved_it_once(
    store: MessageStore, broker: redis.Redis, move: Callable[[], None]
) -> None:
    set_aside(store, text_of("work", 1).encode(), count=3)
    assert killed_at("dead_letters.copied", 1, "move") == -signal.SIGKILL
    assert DeadLetter.objects.count() == 3
    assert broker.hlen("bgjobs:quarantine") == 3
    before = set(DeadLetter.objects.values_list("pk", flat=True))
    move()
    assert set(DeadLetter.objects.values_list("pk", flat=True)) == before
    assert broker.hlen("bgjobs:quarantine") == 0


def test_a_mover_that_dies_in_the_transaction_has_moved_nothing(
    store: MessageStore, broker: redis.Redis, move: Callable[[], None]
) -> None:
    set_aside(store, text_of("work", 1).encode(), count=3)
    assert killed_at("dead_letter.written", 2, "move") == -signal.SIGKILL
    assert DeadLetter.objects.count() == 0
    move()
    assert DeadLetter.objects.count() == 3


def test_a_record_that_was_moved_does_not_take_the_row_of_the_replay_along(store: MessageStore) -> None:
    """The mover is held up before it removes the record, and the letter is replayed meanwhile."""
    headers = {"bgjobs_durable": True, "bgjobs_key": "test.dl.durable:global:once"}
    set_aside(store, text_of("work", 1, **headers).encode())
    kept = store.client.hgetall(store.key("quarantine"))
    Mover(store).work()
    assert replay(Selection(task="test.trial.work")).count == 1
    store.client.hset(store.key("quarantine"), mapping=kept)
    Mover(store).work()
    assert rows.table().count() == 1
    assert DeadLetter.objects.count() == 1


def test_a_durable_job_that_was_retried_without_a_row_leaves_none(
    store: MessageStore, move: Callable[[], None]
) -> None:
    """While the database was down its retry was published alone, and the row kept the tag of the message before."""
    text = json.loads(text_of("work", 1))
    text["headers"]["bgjobs_durable"] = True
    old = Outgoing(
        job=text["headers"]["id"], task="work", queue=QUEUE, list=QUEUE, text="{}", tag="before", durable=True
    )
    rows.write([old])
    set_aside(store, json.dumps(text).encode())
    move()
    assert DeadLetter.objects.count() == 1
    assert not rows.table().exists()


def test_two_movers_at_once_write_each_letter_once(store: MessageStore) -> None:
    set_aside(store, text_of("work", 1).encode(), count=200)

    def work() -> None:
        mover = Mover(store)
        for _ in range(10):
            mover.work()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert DeadLetter.objects.count() == 200
    assert store.client.hlen(store.key("quarantine")) == 0


STRANGE: dict[str, bytes] = {
    "nothing": b"",
    "no text": b"\xff\x00",
    "a zero in the task": text_of("a\0b").encode(),
    "half a character": text_of("work").replace('"lang": "py"', '"lang": "\\ud83d"').encode(),
    "half a character in the task": text_of("work").replace("trial.work", "trial.\\ud83d").encode(),
    "a long task": text_of("x" * 100_000).encode(),
    "many retries": text_of("work", retries=10**30).encode(),
    "retries of another kind": text_of("work", retries=[1]).encode(),
    "a moment beyond time": text_of("work", bgjobs_first_ready_at=1e300).encode(),
    "a moment of another kind": text_of("work", bgjobs_ready_at=["x"]).encode(),
    "a tenant of another kind": text_of("work", bgjobs_tenant=17).encode(),
    "a deep list": b"[" * 100_000,
    "headers of another kind": json.dumps({"headers": [1], "properties": {}}).encode(),
}


def test_whatever_a_message_holds_it_becomes_a_letter(store: MessageStore, move: Callable[[], None]) -> None:
    for text in STRANGE.values():
        set_aside(store, text, reason="undecodable")
    store.client.hset(store.key("quarantine"), f"{OWNER} 0-1", b"no record")
    store.client.hset(store.key("quarantine"), f"{OWNER} 0-2", b"{}")
    move()
    messages = {bytes(letter.message) for letter in DeadLetter.objects.all()}
    assert [name for name, text in STRANGE.items() if text not in messages] == []
    assert {b"no record", b"{}"} <= messages
    assert DeadLetter.objects.count() == len(STRANGE) + 2
    assert store.client.hlen(store.key("quarantine")) == 0


def test_the_facts_of_a_letter_come_from_its_message(store: MessageStore, move: Callable[[], None]) -> None:
    told: list[dict[str, Any]] = []
    steps.observe(told_of := lambda step, **facts: told.append({"step": step, **facts}))
    headers = {
        "bgjobs_tenant": "7",
        "bgjobs_correlation": "c1",
        "bgjobs_key": "k1",
        "bgjobs_firing": "2026-11-24T00:00:00+00:00",
        "bgjobs_entry": "nightly",
        "bgjobs_first_ready_at": 1_700_000_000.0,
    }
    set_aside(store, text_of("work", retries=2, **headers).encode())
    move()
    steps._reached.disconnect(told_of)
    letter = DeadLetter.objects.get()
    assert (letter.tenant, letter.correlation_id, letter.idempotency_key) == ("7", "c1", "k1")
    assert (letter.task, letter.queue, letter.list_name, letter.attempts) == ("test.trial.work", QUEUE, QUEUE, 2)
    assert letter.first_at.timestamp() == 1_700_000_000.0
    (written,) = (one for one in told if one["step"] == "dead_letter.written")
    assert written["entry"] == "nightly"
    assert written["firing"] == "2026-11-24T00:00:00+00:00"
    assert (written["letter"], written["job"]) == (letter.pk, letter.job)


def test_an_ending_that_is_none_is_only_removed(store: MessageStore, move: Callable[[], None]) -> None:
    set_aside(store, text_of("work").encode(), reason="revoked")
    set_aside(store, text_of("work").encode(), reason="duplicate")
    move()
    assert DeadLetter.objects.count() == 0
    assert store.client.hlen(store.key("quarantine")) == 0


def test_a_restored_message_is_no_letter(store: MessageStore, move: Callable[[], None]) -> None:
    set_aside(store, text_of("work").encode())
    (kept_as,) = store.client.hkeys(store.key("quarantine"))
    assert store.restore(kept_as.decode(), QUEUE, text_of("work").encode())
    move()
    assert DeadLetter.objects.count() == 0
