"""In a list, in the delayed set, under a lease or in quarantine: never in two of them, and never in between."""

import json
import random
import signal
import threading
import time

import pytest

from ..workers import eventually
from .broker_servers import BrokerServer
from .conftest import Crew, Show
from .owners import live, owner
from .trial import QUEUE, Trial, publish, publish_numbers, text_of

# Messages in all places, counted by the server in one step.
CENSUS = """
local count = redis.call('LLEN', 'high_priority') + redis.call('ZCARD', 'bgjobs:delayed:high_priority')
count = count + redis.call('HLEN', 'bgjobs:quarantine')
for _, key in ipairs(redis.call('KEYS', 'bgjobs:leases:*')) do count = count + redis.call('HLEN', key) end
return count
"""
BATCHES = 2
VICTIMS = ("critical", "high_priority", "email", "reports", "external_api")  # one worker for each queue


@pytest.mark.slow
def test_a_worker_that_is_killed_while_a_message_arrives_loses_nothing(
    valkey_server: BrokerServer, crew: Crew, trial: Trial, show: Show
) -> None:
    found_in = []
    for batch in range(BATCHES):
        victims = {queue: crew(valkey_server, "--pool=solo", f"--queues={queue}", wait=False) for queue in VICTIMS}
        for number, (queue, worker) in enumerate(victims.items(), batch * len(VICTIMS)):
            crew.ready(worker)
            worker.process.send_signal(signal.SIGSTOP)
            publish(valkey_server, "work", number, queue=queue, id=f"job-{number}")
            worker.process.send_signal(signal.SIGCONT)
            time.sleep(random.uniform(0, 0.012))
            worker.kill()
            places = [text for text in valkey_server.places(queue) if b'"job-%d"' % number in text]
            ended = trial.counts("end")[number]
            assert len(places) == 1 or (not places and ended == 1), (places, ended)
            found_in.append("done" if not places else "leased" if valkey_server.waiting(queue) == 0 else "waiting")
        for worker in victims.values():
            assert worker.process.returncode == -signal.SIGKILL
        crew(valkey_server, "--pool=solo", f"--queues={','.join(VICTIMS)}")
        trial.wait_for(range(len(found_in)), "end")
    show(", ".join(f"{found_in.count(place)} {place}" for place in sorted(set(found_in))))
    eventually(valkey_server.settled)


def test_the_number_of_messages_never_changes_while_they_are_moved(broker_server: BrokerServer) -> None:
    publish_numbers(broker_server, "work", range(200))
    census = broker_server.client.register_script(CENSUS)
    until = time.monotonic() + 2
    errors: list[BaseException] = []

    def move(name: str) -> None:
        store, call, chance = broker_server.store, 0, random.Random(name)
        try:
            while time.monotonic() < until:
                live(broker_server, name)
                call += 1
                claimed = store.claim(name, call=call, most=5, queues=[QUEUE])
                assert claimed is not None
                for entry in claimed.entries:
                    match chance.randrange(3):
                        case 0:
                            store.put_back(name, [entry.lease])
                        case 1:
                            store.delay(name, entry.lease, queue=QUEUE, due=time.time() + 0.01)
                        case _ if chance.random() < 0.02:
                            store.quarantine(name, entry.lease, json.dumps({"reason": "test"}))
                if chance.random() < 0.1:
                    store.leave(name, [QUEUE])

        except BaseException as error:  # noqa: BLE001 - the main thread reports it
            errors.append(error)

    movers = [threading.Thread(target=move, args=(f"mover-{number}",)) for number in range(4)]
    for mover in movers:
        mover.start()
    counts = []
    while time.monotonic() < until:
        counts.append(census())
    for mover in movers:
        mover.join()
    assert not errors
    assert set(counts) == {200}
    assert len(counts) > 50


def test_a_claim_whose_answer_is_lost_brings_the_same_messages_again(broker_server: BrokerServer) -> None:
    publish_numbers(broker_server, "work", range(5))
    name = owner(broker_server)
    first = broker_server.store.claim(name, call=1, most=3, queues=[QUEUE])
    again = broker_server.store.claim(name, call=1, most=3, queues=[QUEUE])
    assert first is not None
    assert again is not None
    assert [entry.text for entry in first.entries] == [entry.text for entry in again.entries]
    assert [entry.lease for entry in first.entries] == [entry.lease for entry in again.entries]
    assert (broker_server.waiting(), broker_server.leased()) == (2, 3)


def test_a_claim_that_arrives_after_a_later_one_takes_nothing(broker_server: BrokerServer) -> None:
    publish_numbers(broker_server, "work", range(5))
    name = owner(broker_server)
    broker_server.store.claim(name, call=2, most=1, queues=[QUEUE])
    assert broker_server.store.claim(name, call=1, most=3, queues=[QUEUE]) is None
    assert (broker_server.waiting(), broker_server.leased()) == (4, 1)


def test_a_message_is_kept_as_it_was_published_wherever_it_goes(broker_server: BrokerServer) -> None:
    text = text_of("work", "as published: ü \\u00fc \u2028")
    broker_server.store.publish(QUEUE, QUEUE, text)
    (published,) = broker_server.places()
    assert published.startswith(text[:-1].encode())
    name = owner(broker_server)
    claimed = broker_server.store.claim(name, call=1, most=1, queues=[QUEUE])
    assert claimed is not None
    broker_server.store.delay(name, claimed.entries[0].lease, queue=QUEUE, due=time.time() - 1)
    claimed = broker_server.store.claim(name, call=2, most=1, queues=[QUEUE])
    assert claimed is not None
    broker_server.store.put_back(name, [claimed.entries[0].lease])
    assert broker_server.places() == [published]
