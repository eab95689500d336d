"""What a process holds goes on its way in time, whatever else the process does, and without any worker's help."""

import select
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from kombu import Connection

from apps.core.broker import intake as intake_module
from apps.core.broker import servers
from apps.core.broker.run_times import ENOUGH, RunTimes
from apps.core.owners import owner_id

from ..workers import eventually
from .broker_servers import BrokerServer
from .lossy_connection import LossyConnection
from .owners import live, owner
from .trial import QUEUE, publish_numbers

GIVEN_BACK_WITHIN = 0.2  # seconds
ACKNOWLEDGED_WITHIN = 0.02


class Process:
    """This process as a consumer with a kombu channel; the test is its event loop."""

    def __init__(self, server: BrokerServer, slots: int) -> None:
        self._connection = Connection(server.url)
        self.channel: Any = self._connection.channel()
        self.received: list[Any] = []
        self.set_slots(slots)
        self.channel.basic_consume(QUEUE, callback=self.received.append, consumer_tag="test")

    def set_slots(self, slots: int) -> None:
        self.channel.basic_qos(0, slots, False)

    def turn(self) -> None:
        """One turn of the event loop."""
        intake = self.channel.intake
        for descriptor in select.select(intake.descriptors, [], [], 0)[0]:
            intake.notice(descriptor)
        intake.work()

    def receive(self, count: int) -> list[Any]:
        """Takes turns until so many messages have come, and returns them."""

        def has_received() -> bool:
            self.turn()
            return len(self.received) >= count

        eventually(has_received)
        return self.received

    def close(self) -> None:
        """The heartbeat, which is the whole test run's, forgets this server, too."""
        custody = self.channel.custody
        custody.leave()
        self._connection.close()
        heartbeat = custody._heartbeat
        heartbeat.pulses = {name: pulse for name, pulse in heartbeat.pulses.items() if pulse != custody.pulse}
        heartbeat.chores = tuple(chore for chore in heartbeat.chores if chore != custody.settle_pending)
        heartbeat.farewells = tuple(farewell for farewell in heartbeat.farewells if farewell != custody.leave)
        for address in [address for address, other in servers._custodies.items() if other is custody]:
            del servers._custodies[address]


Start = Callable[[int], Process]


@pytest.fixture
def process(broker_server: BrokerServer) -> Iterator[Start]:
    started = []

    def start(slots: int) -> Process:
        started.append(Process(broker_server, slots))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def fast_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process has seen jobs so short that it claims ahead."""
    run_times = RunTimes()
    for _ in range(ENOUGH):
        run_times.note(0.0001)
    monkeypatch.setattr(intake_module, "run_times", run_times)


@pytest.mark.usefixtures("fast_jobs")
def test_a_long_job_amid_short_ones_holds_none_of_them_up(process: Start, broker_server: BrokerServer) -> None:
    publish_numbers(broker_server, "work", range(40))
    blocked = process(1)
    blocked.turn()  # and no more: its only thread works on the first message, and does not come back
    began = time.monotonic()
    assert len(blocked.received) == 1
    assert broker_server.leased() == 40  # it has claimed ahead
    other, call = owner(broker_server), 0
    arrived: list[tuple[str, float]] = []
    while len(arrived) < 39 and time.monotonic() < began + 5:
        call += 1
        claimed = broker_server.store.claim(other, call=call, most=1, queues=[QUEUE])
        assert claimed is not None
        for entry in claimed.entries:
            arrived.append((entry.text.decode(), time.monotonic() - began))
            broker_server.store.acknowledge(other, [entry.lease])
    assert max(moment for _, moment in arrived) < GIVEN_BACK_WITHIN
    ready_at = [float(text.rpartition('"ready_at": ')[2].rstrip("}")) for text, _ in arrived]
    assert len(arrived) == 39
    assert ready_at == sorted(ready_at)  # they went back in their order
    assert list(broker_server.leases()[owner_id()]) == [blocked.received[0].delivery_tag.encode()]


def test_acknowledgements_reach_the_server_though_nobody_claims(process: Start, broker_server: BrokerServer) -> None:
    publish_numbers(broker_server, "work", range(21))
    delays = []
    for left, message in zip(reversed(range(21)), process(21).receive(21), strict=True):
        began = time.monotonic()
        message.ack()
        while broker_server.client.hlen(f"bgjobs:leases:{owner_id()}") > left:
            assert time.monotonic() < began + 5
        delays.append(time.monotonic() - began)
    assert statistics.median(delays) < ACKNOWLEDGED_WITHIN
    assert broker_server.settled()


def test_acknowledgements_travel_together(process: Start, broker_server: BrokerServer) -> None:
    publish_numbers(broker_server, "work", range(50))
    messages = list(process(50).receive(50))
    before = scripts_run(broker_server.client)
    for message in messages:
        message.ack()
    eventually(broker_server.settled)
    assert scripts_run(broker_server.client) - before <= 4  # of which one may be the heartbeat's


def scripts_run(client: redis.Redis) -> int:
    stats: dict[str, Any] = client.info("commandstats")
    return int(stats["cmdstat_evalsha"]["calls"])


def test_a_claim_whose_connection_breaks_brings_its_messages_with_the_next(
    process: Start, broker_server: BrokerServer
) -> None:
    consumer = process(5)
    consumer.channel.store.client.connection_pool.connection_class = LossyConnection
    consumer.turn()
    publish_numbers(broker_server, "work", range(3))
    eventually(lambda: select.select(consumer.channel.intake.descriptors, [], [], 0)[0])
    consumer.channel.store.connections._mine.__dict__.clear()
    LossyConnection.expect(["reply lost", "reply lost"])
    with pytest.raises(redis.ConnectionError):
        consumer.turn()
    assert not consumer.received
    assert broker_server.leased() == 3  # the server has given them away, and nobody knows
    assert len(consumer.receive(3)) == 3
    assert broker_server.leased() == 3
    assert len({message.headers["id"] for message in consumer.received}) == 3


def test_a_full_process_passes_its_wake_up_on(process: Start, broker_server: BrokerServer) -> None:
    publish_numbers(broker_server, "work", range(1))
    full = process(2)
    full.receive(1)  # one of two: it waits for another
    beside = owner(broker_server)
    live(broker_server, beside)
    assert broker_server.store.claim(beside, call=1, most=1, queues=[QUEUE]) is not None  # so it waits, too
    full.set_slots(1)
    publish_numbers(broker_server, "work", range(1))
    intake = full.channel.intake
    assert select.select(intake.descriptors, [], [], 5)[0], "it was not woken, though it is the scout"
    assert broker_server.client.llen(f"bgjobs:wake:{beside}") == 0
    full.turn()
    assert broker_server.client.llen(f"bgjobs:wake:{beside}") == 1
    assert len(full.received) == 1
    assert broker_server.waiting() == 1


def test_what_a_server_remembers_of_a_time_that_is_over_goes_back(
    process: Start, broker_server: BrokerServer
) -> None:
    """Its data has gone back in time: a lease that ended is there again, and its owner knows nothing of it."""
    one = process(2)
    publish_numbers(broker_server, "work", [1])
    (message,) = one.receive(1)
    custody = one.channel.custody
    key = custody.store.key("leases", owner_id())
    (lease, entry), *_ = broker_server.client.hgetall(key).items()
    message.ack()
    eventually(lambda: not broker_server.client.exists(key))
    publish_numbers(broker_server, "work", [2])
    one.receive(2)  # this one it holds
    broker_server.client.hset(key, lease, entry)
    broker_server.client.script_flush()  # as a restart does
    one.set_slots(3)
    again = one.receive(3)[2]
    assert again.body == message.body
    assert again.history[0].split()[1] == "forgotten"
    assert len(broker_server.client.hkeys(key)) == 2
