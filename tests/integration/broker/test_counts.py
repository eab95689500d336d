"""What happens to a message is counted in the step in which it happens, once."""

import json
import uuid
from typing import Any

import pytest

from apps.core.broker import run_notes
from apps.core.broker.store import Claimed, MessageStore
from apps.core.metrics.events import OTHER_TASKS

from .broker_servers import BrokerServer
from .counts import counted, counts, notes
from .owners import live
from .trial import QUEUE, text_of

NOTE = "{event} {reason} {queue} {wait} {run} claimed 1 {task}\n{wait_us} {run_us} 900\n{{}}"


def note_of(event: str = "succeeded", reason: str = "-", task: str = "send mail") -> str:
    """Waited 0.3 s, ran 1.5 s."""
    numbers = {"wait": 3, "wait_us": 300_000, "run": 5, "run_us": 1_500_000}
    return NOTE.format(event=event, reason=reason, queue=QUEUE, task=task, **numbers)


def publish(server: BrokerServer, count: int = 1) -> None:
    for _ in range(count):
        server.store.publish(QUEUE, QUEUE, text_of("send mail"), task="send mail")


def claim(server: BrokerServer, owner: str, most: int = 100, call: int = 1, **options: Any) -> Claimed:
    live(server, owner)
    claimed = server.store.claim(owner, call=call, most=most, queues=[QUEUE], **options)
    assert claimed is not None
    return claimed


def test_a_publication_counts_once_however_often_it_is_tried(valkey_server: BrokerServer) -> None:
    publish(valkey_server, 3)
    assert counts(valkey_server) == {"published high_priority - send mail": 3}


def test_an_attempt_counts_with_the_end_of_its_lease(valkey_server: BrokerServer) -> None:
    publish(valkey_server, 2)
    first, second = claim(valkey_server, "a").entries
    assert valkey_server.store.acknowledge("a", [first.lease], {first.lease: note_of()}) == 1
    claim(valkey_server, "a", call=2, acknowledged=[second.lease], notes={second.lease: note_of("failed", "timeout")})
    assert counts(valkey_server) == {
        "published high_priority - send mail": 2,
        "started high_priority - send mail": 2,
        "succeeded high_priority - send mail": 1,
        "failed high_priority timeout send mail": 1,
        "wait_le high_priority 3 send mail": 2,
        "wait_us high_priority - send mail": 600_000,
        "run_le high_priority 5 send mail": 2,
        "run_us high_priority - send mail": 3_000_000,
        "checked high_priority claimed send mail": 2,
        "check_le high_priority 1 send mail": 2,
        "check_us high_priority - send mail": 1_800,
    }
    assert [one["key"] for one in notes(valkey_server)] == [f"a {first.lease}", f"a {second.lease}"]


def test_an_end_that_is_told_twice_or_by_a_stranger_counts_once(valkey_server: BrokerServer) -> None:
    publish(valkey_server)
    (entry,) = claim(valkey_server, "a").entries
    told = {entry.lease: note_of()}
    assert valkey_server.store.acknowledge("b", [entry.lease], told) == 0
    assert valkey_server.store.acknowledge("a", [entry.lease], told) == 1
    assert valkey_server.store.acknowledge("a", [entry.lease], told) == 0
    claim(valkey_server, "a", call=2, acknowledged=[entry.lease], notes=told)
    assert counted(valkey_server, "succeeded") == 1
    assert len(notes(valkey_server)) == 1


def test_an_attempt_that_goes_on_is_counted_as_started_by_the_heartbeat_and_not_again(
    valkey_server: BrokerServer,
) -> None:
    publish(valkey_server)
    (entry,) = claim(valkey_server, "a").entries
    begun = [entry.lease, QUEUE, "send mail"]
    for _ in range(2):
        valkey_server.store.pulse(["a"], queues=[QUEUE], all_queues=[QUEUE], begun=begun)
    assert counted(valkey_server, "started") == 1
    valkey_server.store.acknowledge("a", [entry.lease], {entry.lease: note_of()})
    valkey_server.store.pulse(["a"], queues=[QUEUE], all_queues=[QUEUE], begun=begun)  # it was on its way
    assert counted(valkey_server, "started") == 1
    assert not valkey_server.client.exists("bgjobs:begun:a")


def test_a_rescue_counts_and_stands_in_the_history(valkey_server: BrokerServer) -> None:
    publish(valkey_server, 2)
    claim(valkey_server, "dead")
    valkey_server.client.delete("bgjobs:owner:dead")
    live(valkey_server, "b")
    valkey_server.client.hset("bgjobs:suspects", "dead", "1000.0")
    valkey_server.client.delete("bgjobs:quiet")
    beat = valkey_server.store.pulse(["b"], queues=[QUEUE], all_queues=[QUEUE])
    assert beat.rescued == {"dead": 2}
    assert counted(valkey_server, "rescued") == 2
    assert counted(valkey_server, "rescue_le", reason="15") == 2
    assert [(one["event"], one["task"]) for one in notes(valkey_server)] == [("lost", "test.trial.send mail")] * 2
    assert all(one["job"] for one in notes(valkey_server))


def test_what_is_set_aside_counts_with_its_reason(valkey_server: BrokerServer) -> None:
    publish(valkey_server)
    (entry,) = claim(valkey_server, "a").entries
    note = run_notes.of_message("failed", queue=QUEUE, reason="poison", headers={"task": "send mail", "id": "7"})
    assert valkey_server.store.quarantine("a", entry.lease, "{}", note) == 1
    assert valkey_server.store.quarantine("a", entry.lease, "{}", note) == 0
    assert counted(valkey_server, "failed", reason="poison") == 1
    assert counted(valkey_server, "started") == 0


def test_minutes_that_are_over_are_added_up(valkey_server: BrokerServer) -> None:
    publish(valkey_server, 5)
    minute = int(valkey_server.client.get("bgjobs:counts:open") or 0)
    earlier = minute - 1500  # another day
    valkey_server.client.rename(f"bgjobs:counts:m:{minute}", f"bgjobs:counts:m:{earlier}")
    valkey_server.client.set("bgjobs:counts:open", earlier)
    publish(valkey_server, 2)
    field = b"published high_priority - send mail"
    for key, number in {
        "total": b"5",
        f"h:{earlier // 60}": b"5",
        f"d:{earlier // 1440}": b"5",
        f"m:{earlier}": b"5",
        f"m:{valkey_server.client.get('bgjobs:counts:open').decode()}": b"2",
    }.items():
        assert valkey_server.client.hget(f"bgjobs:counts:{key}", field) == number, key
    assert counted(valkey_server, "published") == 7
    assert 0 < valkey_server.client.ttl(f"bgjobs:counts:h:{earlier // 60}") <= 74 * 3600


def test_a_clock_that_goes_back_counts_nothing_twice(valkey_server: BrokerServer) -> None:
    publish(valkey_server)
    minute = int(valkey_server.client.get("bgjobs:counts:open") or 0)
    valkey_server.client.rename(f"bgjobs:counts:m:{minute}", f"bgjobs:counts:m:{minute + 500}")
    valkey_server.client.set("bgjobs:counts:open", minute + 500)
    publish(valkey_server)
    assert not valkey_server.client.exists("bgjobs:counts:total")
    assert counted(valkey_server, "published") == 2


def test_too_many_different_tasks_are_counted_together(valkey_server: BrokerServer) -> None:
    for number in range(1_010):
        valkey_server.store.publish(QUEUE, QUEUE, text_of("x"), task=f"task {number}")
    found = counts(valkey_server)
    assert len(found) == 1_001
    assert found[f"published high_priority - {OTHER_TASKS}"] == 10
    assert sum(found.values()) == 1_010


@pytest.mark.parametrize("broken", ["bgjobs:counts:m", "bgjobs:counts:open", "bgjobs:runs", "bgjobs:counts:total"])
def test_counting_never_stands_in_the_way(valkey_server: BrokerServer, broken: str) -> None:
    publish(valkey_server)
    minute = valkey_server.client.get("bgjobs:counts:open").decode()
    for key in (broken, f"{broken}:{minute}"):
        valkey_server.client.delete(key)
        valkey_server.client.zadd(key, {"not what it should be": 1})
    publish(valkey_server)
    entries = claim(valkey_server, "a").entries
    assert len(entries) == 2
    assert valkey_server.store.acknowledge("a", [one.lease for one in entries], {entries[0].lease: note_of()}) == 2
    assert valkey_server.store.acknowledge("a", ["none"], {"none": "no note"}) == 0


def test_a_full_server_counts_what_it_lets_go(valkey_server: BrokerServer) -> None:
    publish(valkey_server)
    (entry,) = claim(valkey_server, "a").entries
    valkey_server.client.config_set("maxmemory", 1)
    assert valkey_server.store.acknowledge("a", [entry.lease], {entry.lease: note_of()}) == 1
    valkey_server.client.config_set("maxmemory", 0)
    assert counted(valkey_server, "succeeded") == 1
    assert len(notes(valkey_server)) == 1


def test_the_history_is_bounded(valkey_server: BrokerServer) -> None:
    pipeline = valkey_server.client.pipeline(transaction=False)
    for _ in range(21_000):
        pipeline.xadd("bgjobs:runs", {"o": "x", "1-1": "old"})
    pipeline.execute()
    publish(valkey_server)
    (entry,) = claim(valkey_server, "a").entries
    valkey_server.store.acknowledge("a", [entry.lease], {entry.lease: note_of()})
    assert valkey_server.client.xlen("bgjobs:runs") <= 20_200


def test_a_purge_and_its_return_count(valkey_server: BrokerServer) -> None:
    publish(valkey_server, 3)
    texts = valkey_server.client.lrange(QUEUE, 0, -1)
    assert valkey_server.store.purge(QUEUE) == 3
    publish(valkey_server)
    assert valkey_server.store.restore_purged(QUEUE) == 3
    assert valkey_server.client.lrange(QUEUE, 1, -1) == texts  # they are claimed first, in their order
    assert valkey_server.store.restore_purged(QUEUE) == 0
    assert [counted(valkey_server, event) for event in ("purged", "restored")] == [3, 3]


def test_a_fuse_parks_what_is_claimed_and_lets_it_go_on(valkey_server: BrokerServer) -> None:
    store: MessageStore = valkey_server.store
    assert claim(valkey_server, "a").fuses == {}
    ends = store.fuse("send mail", seconds=600, why="ada: it writes to everybody")
    publish(valkey_server, 3)
    claimed = claim(valkey_server, "a", call=2)
    assert claimed.fuses == store.fuses()
    assert (claimed.fuses["send mail"].until, claimed.fuses["send mail"].why) == (ends, "ada: it writes to everybody")
    for entry in claimed.entries:
        assert store.park("a", entry.lease, queue=QUEUE, task="send mail") == 1
    assert valkey_server.delayed() == 3
    assert (
        min(score for _, score in valkey_server.client.zrange(f"bgjobs:delayed:{QUEUE}", 0, -1, withscores=True))
        >= ends
    )
    assert counted(valkey_server, "fused") == 3
    assert store.unfuse("send mail") == 3
    assert store.fuses() == {}
    assert store.unfuse("send mail") == 0
    assert valkey_server.client.zcount(f"bgjobs:delayed:{QUEUE}", "-inf", claimed.now + 60) == 3  # at a growing rate


def test_a_job_that_was_delayed_for_another_reason_stays_delayed(valkey_server: BrokerServer) -> None:
    valkey_server.store.fuse("send mail", seconds=600, why="x: y")
    valkey_server.store.publish(QUEUE, QUEUE, text_of("send mail", id=str(uuid.uuid4())), due=4e9, task="send mail")
    assert valkey_server.store.unfuse("send mail") == 0
    assert valkey_server.client.zcount(f"bgjobs:delayed:{QUEUE}", 4e9, 4e9) == 1


def test_a_card_says_what_a_worker_does_and_goes_with_it(valkey_server: BrokerServer) -> None:
    card = {"node": "w0@host", "host": "host", "pid": 7, "pool": "solo", "queues": [QUEUE], "slots": 1, "busy": 1}
    card |= {"rss_bytes": 5, "version": None, "started_at": 1.0, "at": 2.0}
    card["jobs"] = [{"job": "j", "task": "send mail", "queue": QUEUE, "since": 1.5}]
    live(valkey_server, "a")
    valkey_server.store.pulse(["a"], queues=[QUEUE], all_queues=[QUEUE], card=json.dumps(card))
    found = valkey_server.store.cards(["a", "b"])
    assert list(found) == ["a"]
    assert (found["a"].node, found["a"].jobs[0].task) == ("w0@host", "send mail")
    assert valkey_server.client.pttl("bgjobs:card:a") > 0
    valkey_server.store.leave("a", [QUEUE])
    assert valkey_server.store.cards(["a"]) == {}
    valkey_server.client.set("bgjobs:card:a", "no card")
    assert valkey_server.store.cards(["a"]) == {}
