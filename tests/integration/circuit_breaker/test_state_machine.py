"""Whatever calls do with one breaker, in whatever order, it stands as a simple model says."""

import os
import uuid
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from apps.core.circuit_breaker import Admitted, Breaker, BreakerStore, Refused
from apps.core.circuit_breaker.store import FAILURES_PREFIX, KNOWN_KEY
from apps.core.redis_client import connect

from .records import LONG, keys_of, probe_time_comes, status_of

THREE = Breaker(failures=3, open_for=LONG)


@dataclass
class Model:
    state: str = "closed"
    era: int = 0  # grows with each closing
    failures: int = 0
    counted: set[str] = field(default_factory=set)  # failed calls in a row, while closed
    probe: str | None = None
    is_due: bool = False  # the probe's time, or the end of its lease, has come
    number: int = 0  # of jobs parked behind this probe
    parked: dict[str, float] = field(default_factory=dict)  # seconds behind the probe's time

    def admit(self, call: str) -> str:
        if self.state == "closed":
            return "closed"
        if not self.is_due:
            return "refused"
        self.state, self.probe, self.is_due, self.number = "half_open", call, False, 0
        return "probe"

    def fail(self, call: str, era: int | None) -> bool:
        if call == self.probe:
            self.open(self.failures + 1)
            return True
        if self.state != "closed" or era != self.era:
            return False
        self.counted.add(call)
        if len(self.counted) < THREE.failures:
            return False
        self.open(len(self.counted))
        return True

    def open(self, failures: int) -> None:
        self.state, self.failures, self.probe, self.is_due, self.number = "open", failures, None, False, 0
        self.counted.clear()

    def succeed(self, call: str, era: int | None) -> bool:
        if call == self.probe:
            self.state, self.probe, self.failures, self.era = "closed", None, 0, self.era + 1
            return True
        if self.state == "closed" and era == self.era:
            self.counted.clear()
        return False

    def withdraw(self, call: str) -> None:
        if call == self.probe:
            self.state, self.probe, self.is_due, self.number = "open", None, True, 0


class OneBreaker(RuleBasedStateMachine):
    """Any number of calls of one service. A call may speak late, and what it says is said twice."""

    client: ClassVar[redis.Redis]
    store: ClassVar[BreakerStore]

    def __init__(self) -> None:
        super().__init__()
        self.service = f"service-{uuid.uuid4().hex}"
        self.model = Model()
        self.calls: list[tuple[Admitted, int | None]] = []  # with their eras in the model; None: a probe
        self.count = 0

    @rule()
    def ask(self) -> None:
        self.count += 1
        call = f"call-{self.count}"
        answer = self.store.admit(self.service, call, lease=LONG)
        expected = self.model.admit(call)
        if isinstance(answer, Refused):
            assert expected == "refused"
            return
        assert expected == ("probe" if answer.is_probe else "closed")
        assert self.store.admit(self.service, call, lease=LONG) == answer
        self.calls.append((answer, None if answer.is_probe else self.model.era))

    @precondition(lambda self: self.model.state == "closed")
    @rule(ends=st.sampled_from(["with the row", "with a probe", "with a success"]))
    def row_of_failures(self, ends: str) -> None:
        """The whole way, which chance alone seldom goes. A call from before it is still to speak."""
        self.ask()
        while self.model.state == "closed":
            self.ask()
            self.let_fail(-1)
        if ends == "with the row":
            return
        self.probe_time_comes()
        self.ask()
        if ends == "with a success":
            self.let_succeed(-1)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        self.let_fail(data.draw(st.integers(0, len(self.calls) - 1)))

    def let_fail(self, place: int) -> None:
        call, era = self.calls.pop(place)
        opened = [self.store.fail(self.service, call, THREE) is not None for _ in range(2)]
        assert opened == [self.model.fail(call.call, era)] * 2

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        self.let_succeed(data.draw(st.integers(0, len(self.calls) - 1)))

    def let_succeed(self, place: int) -> None:
        call, era = self.calls.pop(place)
        closed = [self.store.succeed(self.service, call) for _ in range(2)]
        assert closed == [self.model.succeed(call.call, era)] * 2

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        call, _ = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        self.store.withdraw(self.service, call)
        self.model.withdraw(call.call)

    @precondition(lambda self: self.model.state != "closed")
    @rule()
    def probe_time_comes(self) -> None:
        probe_time_comes(self.client, self.service)
        self.model.is_due = True

    @precondition(lambda self: self.model.state != "closed" and not self.model.is_due)
    @rule()
    def park(self) -> None:
        status = status_of(self.store, self.service)
        assert status is not None
        assert status.probe_at is not None
        self.count += 1
        due = self.store.park(self.service, f"job-{self.count}")
        assert due == pytest.approx(status.probe_at + (2 * self.model.number) ** 0.5, abs=1e-5)
        self.model.number += 1
        self.model.parked[f"job-{self.count}"] = due

    @invariant()
    def it_stands_as_it_must(self) -> None:
        status = status_of(self.store, self.service)
        if self.model.state == "closed":
            assert status is None or status.state == "closed"
            assert set(self.client.smembers(FAILURES_PREFIX + self.service)) == self.model.counted
        else:
            assert status is not None
            assert (status.state, status.failures) == (self.model.state, self.model.failures)
        assert (status.parked if status else 0) == len(self.model.parked)

    def teardown(self) -> None:
        self.client.delete(*keys_of(self.service))
        self.client.zrem(KNOWN_KEY, self.service)


@pytest.mark.slow
def test_a_breaker_stands_as_a_simple_model_says() -> None:
    client = connect(os.environ["BROKER_URL"])
    machine = type("OneBreakerHere", (OneBreaker,), {"client": client, "store": BreakerStore(client)})
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
    client.close()
