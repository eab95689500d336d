"""Whatever several owners do with a key, in whatever order, the promises of its record hold."""

import os
import uuid
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from apps.core.idempotency import Claimed, Ended, Failed, Held, IdempotencyStore, Succeeded, result
from apps.core.idempotency import store as module
from apps.core.idempotency.store import RECORD_PREFIX
from apps.core.owners import owner_key
from apps.core.redis_client import connect

OWNERS = st.sampled_from(["ann", "bob", "cid"])
JOBS = st.sampled_from(["job-1", "job-2"])


class OneKey(RuleBasedStateMachine):
    """Three processes and two jobs around one key. `holder` is what must be true of the record."""

    client: redis.Redis
    patch: pytest.MonkeyPatch

    def __init__(self) -> None:
        super().__init__()
        self.run_id = uuid.uuid4().hex
        self.key = f"test:{self.run_id}"
        self.stores = {name: IdempotencyStore(self.client) for name in ("ann", "bob", "cid")}
        self.alive: set[str] = set()
        self.holder: tuple[str, str, Claimed] | None = None  # owner, job, claim
        self.waiting: str | None = None  # the job that waits for its retry
        self.end: tuple[str, Any] | None = None  # how the key ended
        self.ended: tuple[Claimed, str] | None = None  # the claim that ended last, and how
        self.claims: list[tuple[str, Claimed]] = []
        self.fence = 0

    def owner(self, name: str) -> str:
        return f"{self.run_id}-{name}"

    def act_as(self, name: str) -> IdempotencyStore:
        self.patch.setattr(module, "owner_id", lambda: self.owner(name))
        self.patch.setattr(module, "ensure_heartbeat", lambda: self.renew_key(name))
        return self.stores[name]

    @rule(name=OWNERS, job=JOBS)
    def claim(self, name: str, job: str) -> None:
        self.alive.add(name)  # whoever claims has a heartbeat
        outcome = self.act_as(name).claim(self.key, job=job)
        holder_lives = self.holder is not None and self.holder[0] in self.alive
        if self.end is not None:
            expected = Succeeded if self.end[0] == "succeeded" else Failed
            assert isinstance(outcome, expected)
            if isinstance(outcome, Succeeded):
                assert outcome.result.value == self.end[1]
            return
        if holder_lives or (self.waiting is not None and self.waiting != job):
            assert isinstance(outcome, Held)
            return
        assert isinstance(outcome, Claimed)
        assert outcome.fence > self.fence, "a fence has not grown"
        self.fence = outcome.fence
        self.holder, self.waiting, self.ended = (name, job, outcome), None, None
        self.claims.append((name, outcome))

    @rule(name=OWNERS)
    def die(self, name: str) -> None:
        self.client.delete(owner_key(self.owner(name)))
        self.alive.discard(name)

    def renew_key(self, name: str) -> None:
        self.client.set(owner_key(self.owner(name)), "1", px=60_000)

    @rule(name=OWNERS)
    def renew(self, name: str) -> None:
        self.renew_key(name)
        self.alive.add(name)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), value=st.integers())
    def succeed(self, data: st.DataObject, value: int) -> None:
        name, claim = data.draw(st.sampled_from(self.claims))
        ended = self.act_as(name).succeed(claim, value, ttl=60)
        self.check_end(claim, ended, "succeeded", value)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        name, claim = data.draw(st.sampled_from(self.claims))
        ended = self.act_as(name).fail(claim, "OSError", "gone", ttl=60)
        self.check_end(claim, ended, "failed", "OSError")

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def wait_for_retry(self, data: st.DataObject) -> None:
        name, claim = data.draw(st.sampled_from(self.claims))
        ended = self.act_as(name).wait_for_retry(claim, ttl=60)
        self.check_end(claim, ended, "waiting_retry", None)

    @rule()
    def expire_or_release(self) -> None:
        self.act_as("ann").release(self.key)
        self.holder = self.waiting = self.end = self.ended = None

    def check_end(self, claim: Claimed, ended: Ended, state: str, value: Any) -> None:
        """Only the latest live claim may end the key; said twice it stands once; any other changes nothing."""
        if self.holder is not None and self.holder[2] == claim:
            assert ended is Ended.STORED
            self.waiting = self.holder[1] if state == "waiting_retry" else None
            self.end = None if self.waiting else (state, value)
            self.holder, self.ended = None, (claim, state)
        elif self.ended == (claim, state):
            assert ended is Ended.STORED
        else:
            assert ended is not Ended.STORED

    @invariant()
    def the_record_is_what_it_must_be(self) -> None:
        record = self.client.hgetall(RECORD_PREFIX + self.key)
        if self.end is not None:
            assert record["state"] == self.end[0]
            if self.end[0] == "succeeded":
                assert result.decode(record["result"]).value == self.end[1]
        elif self.waiting is not None:
            assert (record["state"], record["job"]) == ("waiting_retry", self.waiting)
        elif self.holder is not None:
            assert record["state"] == "running"
            assert record["fence"] == str(self.holder[2].fence)
        else:
            assert record == {}

    def teardown(self) -> None:
        self.client.delete(RECORD_PREFIX + self.key, *(owner_key(self.owner(name)) for name in self.stores))


@pytest.mark.slow
def test_a_key_never_has_two_live_holders_and_its_result_never_changes(
    settled_server: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(os.environ["BROKER_URL"])
    machine = type("OneKeyHere", (OneKey,), {"client": client, "patch": monkeypatch})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=150,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )
    client.close()
