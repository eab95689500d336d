"""What cannot come to an end is set aside, with its history and exactly as it was published."""

import base64
import json
from typing import Any

import pytest

from apps.core.broker.quarantine import original

from ..workers import eventually
from .broker_servers import BrokerServer
from .conftest import Crew
from .owners import die, owner
from .trial import QUEUE, Trial, publish, publish_numbers, text_of

SECRET = "s3cret-argument"
DEPTH = 200


def quarantined(server: BrokerServer, count: int = 1, timeout: float = 30) -> list[dict[str, Any]]:
    eventually(lambda: server.client.hlen("bgjobs:quarantine") >= count, timeout)
    return [json.loads(record) for record in server.client.hvals("bgjobs:quarantine")]


def published(server: BrokerServer, task: str, *args: Any, **headers: Any) -> bytes:
    """Publishes a job to a server that nobody works with yet. Returns the message as it lies in its list."""
    publish(server, task, *args, **headers)
    text: bytes = server.client.lindex(QUEUE, 0)
    return text


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(text_of("work", SECRET)) | changes).encode()


def nested(depth: int) -> Any:
    value: Any = SECRET
    for _ in range(depth):
        value = {"in": value}
    return value


GARBAGE: dict[str, bytes] = {
    "no JSON": f"{SECRET} is no JSON".encode(),
    "no object": json.dumps([SECRET]).encode(),
    "a number": b"17",
    "nothing": b"",
    "no properties": json.dumps({"body": SECRET, "headers": {"task": "test.trial.work", "id": "x"}}).encode(),
    "properties of another kind": changed(properties=[SECRET]),
    "no headers": changed(headers=None),
    "headers of another kind": changed(headers=[SECRET]),
    "a body that is no base64": changed(body=f"{SECRET} is no base64!"),
    "a body that is no text": changed(body=17),
    "a body that is no JSON": changed(body="czNjcmV0LWFyZ3VtZW50"),
    "a body of two": changed(body=base64.b64encode(b"[[], {}]").decode()),
    "a body of numbers": changed(body=base64.b64encode(b"[17, 18, 19]").decode()),
    "a number for a body": changed(body=base64.b64encode(b"17").decode()),
    "no body": json.dumps({k: v for k, v in json.loads(text_of("work", SECRET)).items() if k != "body"}).encode(),
    "a pickle": changed(**{"content-type": "application/x-python-serialize", "content-encoding": "binary"}),
    "an unknown content type": changed(**{"content-type": "application/x-unknown"}),
    "no UTF-8": b'{"body": "' + SECRET.encode() + b'\xff\xfe", "properties": {}}',
    "a deep list": b"[" * DEPTH + b"]" * DEPTH,
    "a bottomless list": b"[" * 100_000 + b"]" * 100_000,
    "deep headers": changed(headers=nested(DEPTH)),
    "deep properties": changed(properties=nested(DEPTH)),
    "an eta of another kind": text_of("work", SECRET).replace('"eta": null', '"eta": [1]').encode(),
    "an eta that is no time": text_of("work", SECRET).replace('"eta": null', '"eta": "soon"').encode(),
    "an expiry of another kind": text_of("work", SECRET).replace('"expires": null', '"expires": [1]').encode(),
    "one time limit": text_of("work", SECRET, timelimit=[17]).encode(),
    "time limits that are no numbers": text_of("work", SECRET, timelimit=[SECRET, None]).encode(),
    "an id of another kind": text_of("work", SECRET, id=[SECRET]).encode(),
    "a task of another kind": text_of("work", SECRET).replace('"test.trial.work"', '["test.trial.work"]').encode(),
    "no id": text_of("work", SECRET).replace('"id": ', '"no-id": ').encode(),
}


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_what_cannot_be_read_is_set_aside_as_it_is_and_the_worker_goes_on(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, pool: str
) -> None:
    valkey_server.client.lpush(QUEUE, *GARBAGE.values())
    worker = crew(valkey_server, f"--pool={pool}", "--concurrency=2")
    publish_numbers(valkey_server, "work", ["good"])
    trial.wait(1, "end")
    eventually(valkey_server.settled)
    records = quarantined(valkey_server)
    missing = [name for name, text in GARBAGE.items() if text not in {original(record) for record in records}]
    assert missing == []
    assert len(records) == len(GARBAGE)
    assert all(record["reason"] and record["history"] == [] for record in records)
    assert trial.counts() == {"good": 1}
    assert worker.is_up()
    assert SECRET not in worker.log
    assert worker.log.count(" ready.") == 1
    assert "Traceback" not in worker.log


@pytest.mark.slow
def test_an_unknown_task_is_set_aside_and_waits_for_workers_that_have_it(
    valkey_server: BrokerServer, crew: Crew
) -> None:
    text = published(valkey_server, "of_the_next_release", SECRET, argsrepr=f"({SECRET!r},)")
    worker = crew(valkey_server, "--pool=solo")
    (record,) = quarantined(valkey_server)
    assert original(record) == text
    assert (record["reason"], record["queue"], record["history"]) == ("unknown_task", QUEUE, [])
    assert "test.trial.of_the_next_release" in record["detail"]
    assert SECRET not in worker.log
    assert worker.is_up()


@pytest.mark.slow
def test_a_job_that_kills_its_process_is_blamed_and_its_neighbours_are_not(
    valkey_server: BrokerServer, crew: Crew, trial: Trial
) -> None:
    text = published(valkey_server, "kill_itself", "killer")
    publish_numbers(valkey_server, "work", range(40), 0.2)
    worker = crew(valkey_server, "--pool=prefork", "--concurrency=3")
    (record,) = quarantined(valkey_server)
    trial.wait_for(range(40))
    eventually(valkey_server.settled)
    assert original(record) == text
    assert record["reason"] == "poison"
    assert [line.split()[1] for line in record["history"]] == ["process_died"] * 3
    assert trial.counts() == {"killer": 3, **dict.fromkeys(range(40), 1)}
    assert len(quarantined(valkey_server)) == 1
    assert valkey_server.client.hlen("bgjobs:troubles") == 0
    assert worker.is_up()


@pytest.mark.slow
def test_a_job_that_was_aboard_ten_lost_workers_is_set_aside(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, settings: Any
) -> None:
    settings.BGJOBS = {**settings.BGJOBS, "heartbeat_every": 0.01, "dead_after": 0.02}
    text = published(valkey_server, "work", "unlucky")
    lose_worker(valkey_server, times=9)
    publish(valkey_server, "work", "companion")
    lose_worker(valkey_server, times=1)
    crew(valkey_server, "--pool=solo")
    (record,) = quarantined(valkey_server)
    assert original(record) == text
    assert record["reason"] == "poison"
    assert [line.split()[1] for line in record["history"]] == ["worker_lost"] * 10
    assert len({line.split()[2] for line in record["history"]}) == 10
    trial.wait(1, "end")
    assert trial.counts() == {"companion": 1}
    eventually(lambda: valkey_server.client.hlen("bgjobs:troubles") == 0)


def lose_worker(server: BrokerServer, times: int) -> None:
    for _ in range(times):
        name = owner(server)
        server.store.claim(name, call=1, most=10, queues=[QUEUE])
        die(server, name)
        eventually(lambda: server.store.pulse(["rescuer"], queues=[QUEUE], all_queues=[QUEUE]).rescued)


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_a_rejected_job_is_set_aside_at_once_or_when_it_never_ends(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, pool: str
) -> None:
    texts = {name: published(valkey_server, "reject", name, name == "for ever") for name in ("once", "for ever")}
    worker = crew(valkey_server, f"--pool={pool}", "--concurrency=2")
    records = {original(record): record for record in quarantined(valkey_server, 2)}
    once, for_ever = (records[texts[name]] for name in ("once", "for ever"))
    assert (once["reason"], once["history"]) == ("rejected", [])
    assert for_ever["reason"] == "poison"
    assert [line.split()[1] for line in for_ever["history"]] == ["rejected"] * 10
    assert trial.counts() == {"once": 1, "for ever": 10}
    assert worker.is_up()
    eventually(valkey_server.settled)


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_no_failure_of_a_job_ends_its_worker(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, pool: str
) -> None:
    for error in ("MemoryError", "SystemExit", "KeyboardInterrupt", "RecursionError", "GeneratorExit"):
        published(valkey_server, "fail", error)
    worker = crew(valkey_server, f"--pool={pool}", "--concurrency=2")
    publish_numbers(valkey_server, "work", ["good"])
    trial.wait(1, "end")
    eventually(lambda: not (valkey_server.waiting() or valkey_server.leased()))
    assert worker.is_up()
    assert worker.log.count(" ready.") == 1


@pytest.mark.slow
def test_a_job_that_is_killed_at_its_time_limit_is_set_aside(
    valkey_server: BrokerServer, crew: Crew, trial: Trial
) -> None:
    text = published(valkey_server, "endless", "endless")
    worker = crew(valkey_server, "--pool=prefork", "--concurrency=1")
    (record,) = quarantined(valkey_server)
    assert original(record) == text
    assert record["reason"] == "time_limit"
    assert record["history"] == []
    publish(valkey_server, "work", "next")
    trial.wait(1, "end")
    assert trial.counts() == {"endless": 1, "next": 1}
    assert worker.is_up()


def test_quarantine_takes_only_what_its_owner_holds(broker_server: BrokerServer) -> None:
    text = published(broker_server, "work", 1)
    name = owner(broker_server)
    claimed = broker_server.store.claim(name, call=1, most=1, queues=[QUEUE])
    assert claimed is not None
    (entry,) = claimed.entries
    assert broker_server.store.quarantine(owner(broker_server), entry.lease, "{}") == 0
    assert broker_server.store.quarantine(name, entry.lease, json.dumps({"message": text.decode()})) == 1
    assert broker_server.store.quarantine(name, entry.lease, "{}") == 0
    assert original(quarantined(broker_server)[0]) == text
    assert broker_server.settled()
