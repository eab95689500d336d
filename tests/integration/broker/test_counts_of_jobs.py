"""Each attempt of a job counts once, however it ends, and stands in the history with what is known of it."""

import time
from collections import Counter

from ..workers import eventually
from .broker_servers import BrokerServer
from .conftest import Crew
from .counts import counted, notes
from .trial import QUEUE, Trial, text_of

POOL = ("--pool=prefork", "--concurrency=2")


def send(server: BrokerServer, task: str, *args: object, **headers: object) -> str:
    text = text_of(task, *args, **headers)  # type: ignore[arg-type]
    server.store.publish(QUEUE, QUEUE, text, task=f"test.trial.{task}")
    return text


def how_often(server: BrokerServer, event: str) -> int:
    return sum(note["event"] == event for note in notes(server))


def test_every_way_to_end_is_counted(valkey_server: BrokerServer, crew: Crew, trial: Trial) -> None:
    for number in range(20):
        send(valkey_server, "work", number)
    send(valkey_server, "fail", "ValueError")
    send(valkey_server, "fail", "OSError")
    send(valkey_server, "again", 1, 0.1)
    send(valkey_server, "reject", 2, False)
    send(valkey_server, "endless", 3)
    send(valkey_server, "no_such_task", 4)
    send(valkey_server, "kill_itself", 5)
    send(valkey_server, "work", 6, expires="2020-01-01T00:00:00+00:00")
    valkey_server.store.publish(QUEUE, QUEUE, '{"properties": {}, "headers": 7}')
    crew(valkey_server, *POOL)
    ended = {"succeeded": 21, "retried": 1, "failed": 6, "rejected": 1, "expired": 1}
    eventually(lambda: {event: how_often(valkey_server, event) for event in ended} == ended, 40)
    assert valkey_server.settled()

    reasons = Counter((one["event"], one["reason"]) for one in notes(valkey_server))
    assert reasons == {
        ("succeeded", "-"): 21,
        ("retried", "transient"): 1,
        ("failed", "permanent"): 1,
        ("failed", "transient"): 1,
        ("failed", "timeout"): 1,
        ("failed", "poison"): 3,  # unknown, unreadable, and killed three times
        ("lost", "-"): 2,
        ("rejected", "-"): 1,
        ("expired", "-"): 1,
    }
    for (event, reason), number in reasons.items():
        assert counted(valkey_server, event, reason=reason) == number, event
    assert counted(valkey_server, "started") == 21 + 1 + 2 + 1 + 1 + 3  # neither the expired nor what was no job
    assert counted(valkey_server, "published") == 30
    assert sum(counted(valkey_server, "wait_le", reason=str(place)) for place in range(16)) == 30
    assert sum(counted(valkey_server, "run_le", reason=str(place)) for place in range(16)) == 29


def test_the_history_says_what_is_known_of_an_attempt(valkey_server: BrokerServer, crew: Crew, trial: Trial) -> None:
    context = {"bgjobs_tenant": "7", "bgjobs_correlation": "c-1", "root_id": "r-1"}
    send(valkey_server, "fail", "ValueError", argsrepr="('ValueError',)", **context)
    crew(valkey_server, *POOL)
    eventually(lambda: notes(valkey_server), 20)
    (note,) = notes(valkey_server)
    assert (note["task"], note["error"], note["args"]) == ("test.trial.fail", "ValueError", "('ValueError',)")
    assert (note["tenant"], note["correlation"], note["root"]) == ("7", "c-1", "r-1")
    assert note["worker"] == "w0@test"
    assert len(note["fingerprint"]) == 16
    assert abs(note["ended_at"] - time.time()) < 30


def test_jobs_of_a_fused_task_are_parked_by_every_worker(
    valkey_server: BrokerServer, crew: Crew, trial: Trial
) -> None:
    valkey_server.store.fuse("test.trial.work", seconds=600, why="ada: it writes to everybody")
    send(valkey_server, "work", 1)
    send(valkey_server, "reject", 2, False)
    crew(valkey_server, *POOL)
    trial.wait(1)
    assert trial.counts() == {2: 1}
    eventually(lambda: valkey_server.delayed() == 1, 10)
    assert valkey_server.store.unfuse("test.trial.work") == 1
    trial.wait_for([1])
    assert trial.counts() == {1: 1, 2: 1}


def test_a_worker_says_what_it_runs(valkey_server: BrokerServer, crew: Crew, trial: Trial) -> None:
    send(valkey_server, "work", 1, 30)
    crew(valkey_server, *POOL)
    trial.wait(1)
    owners = [name.decode() for name in valkey_server.client.smembers("bgjobs:owners")]
    eventually(lambda: any(card.busy for card in valkey_server.store.cards(owners).values()), 10)
    (card,) = valkey_server.store.cards(owners).values()
    assert (card.node, card.pool, card.slots, card.busy, card.queues) == ("w0@test", "prefork", 2, 1, (QUEUE,))
    assert [(one.task, one.queue) for one in card.jobs] == [("test.trial.work", QUEUE)]
    assert counted(valkey_server, "started") == 1  # though it has not ended
    assert card.rss_bytes
    assert card.rss_bytes > 2**20
