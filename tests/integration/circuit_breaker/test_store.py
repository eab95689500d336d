"""The states of one breaker, step by step."""

import time

import pytest
import redis

from apps.core.circuit_breaker import Admitted, Breaker, BreakerStore, Refused
from apps.core.circuit_breaker.store import FAILURES_PREFIX, KNOWN_KEY, PARKED_PREFIX, RECORD_PREFIX

from ..workers import eventually
from .records import FIVE, LONG, admitted, ask, open_breaker, probe_time_comes, status_of

pytestmark = pytest.mark.slow


def test_a_service_that_answers_leaves_nothing_behind(store: BreakerStore, client: redis.Redis, service: str) -> None:
    assert store.succeed(service, admitted(store, service)) is False
    assert list(client.scan_iter(f"*{service}*")) == []
    assert status_of(store, service) is None


def test_the_fifth_failure_in_a_row_opens_it(store: BreakerStore, service: str) -> None:
    before = time.time()
    for _ in range(4):
        assert store.fail(service, admitted(store, service), FIVE) is None
    probe_at = store.fail(service, admitted(store, service), FIVE)
    assert probe_at is not None
    assert before + LONG <= probe_at <= time.time() + LONG
    assert ask(store, service) == Refused(probe_at=probe_at)
    status = status_of(store, service)
    assert status is not None
    assert (status.state, status.failures, status.probe_at, status.parked) == ("open", 5, probe_at, 0)
    assert before <= status.since <= time.time()


def test_a_success_ends_the_row(store: BreakerStore, service: str) -> None:
    for _ in range(4):
        store.fail(service, admitted(store, service), FIVE)
    store.succeed(service, admitted(store, service))
    for _ in range(4):
        assert store.fail(service, admitted(store, service), FIVE) is None
    assert store.fail(service, admitted(store, service), FIVE) is not None


def test_a_failure_that_is_said_twice_counts_once(store: BreakerStore, service: str) -> None:
    calls = [admitted(store, service) for _ in range(5)]
    for call in (*calls[:4], *calls[:4]):
        assert store.fail(service, call, FIVE) is None
    first = store.fail(service, calls[4], FIVE)
    assert first is not None
    assert store.fail(service, calls[4], FIVE) == first


def test_a_service_opens_by_its_own_thresholds(store: BreakerStore, service: str) -> None:
    open_breaker(store, service, Breaker(failures=1, open_for=0.2))
    assert isinstance(ask(store, service), Refused)
    probe = eventually(lambda: isinstance(found := ask(store, service), Admitted) and found)
    assert probe.is_probe


def test_a_success_of_the_probe_closes_it(store: BreakerStore, client: redis.Redis, service: str) -> None:
    open_breaker(store, service)
    probe_time_comes(client, service)
    probe = admitted(store, service)
    assert probe.is_probe
    assert isinstance(ask(store, service), Refused)
    assert store.succeed(service, probe) is True
    assert store.succeed(service, probe) is True  # its first reply was lost
    assert status_of(store, service) is None
    assert not admitted(store, service).is_probe


def test_a_failure_of_the_probe_opens_it_again(store: BreakerStore, client: redis.Redis, service: str) -> None:
    open_breaker(store, service)
    opened = status_of(store, service)
    probe_time_comes(client, service)
    probe = admitted(store, service)
    probe_at = store.fail(service, probe, FIVE)
    assert probe_at is not None
    assert store.fail(service, probe, FIVE) == probe_at
    assert ask(store, service) == Refused(probe_at=probe_at)
    status = status_of(store, service)
    assert opened is not None
    assert status is not None
    assert (status.state, status.failures, status.since) == ("open", 6, opened.since)


def test_a_probe_that_says_nothing_lets_the_next_one_try(
    store: BreakerStore, client: redis.Redis, service: str
) -> None:
    open_breaker(store, service)
    probe_time_comes(client, service)
    first = admitted(store, service)
    store.withdraw(service, first)
    second = admitted(store, service)
    assert second.is_probe
    store.withdraw(service, first)
    assert isinstance(ask(store, service), Refused)


def test_a_probe_that_asks_again_is_still_the_probe(store: BreakerStore, client: redis.Redis, service: str) -> None:
    open_breaker(store, service)
    probe_time_comes(client, service)
    assert store.admit(service, "same", lease=LONG) == store.admit(service, "same", lease=LONG)
    assert isinstance(ask(store, service), Refused)


def test_a_probe_that_is_not_heard_of_again_makes_room_for_the_next(
    store: BreakerStore, client: redis.Redis, service: str
) -> None:
    open_breaker(store, service)
    probe_time_comes(client, service)
    lost = ask(store, service, lease=0.2)
    assert isinstance(lost, Admitted)
    assert isinstance(ask(store, service), Refused)
    second = eventually(lambda: isinstance(found := ask(store, service), Admitted) and found)
    assert second.is_probe
    # What the first one says now is too late.
    assert store.succeed(service, lost) is False
    assert store.fail(service, lost, FIVE) is None
    assert isinstance(ask(store, service), Refused)
    assert store.succeed(service, second) is True


def test_a_probe_may_speak_after_its_lease_while_nobody_has_taken_its_place(
    store: BreakerStore, client: redis.Redis, service: str
) -> None:
    open_breaker(store, service)
    probe_time_comes(client, service)
    probe = admitted(store, service)
    probe_time_comes(client, service)  # its lease has ended
    assert store.succeed(service, probe) is True


@pytest.mark.parametrize("when", ["open", "half_open", "closed again"])
def test_what_a_call_from_before_the_opening_says_counts_no_more(
    store: BreakerStore, client: redis.Redis, service: str, when: str
) -> None:
    late = [admitted(store, service) for _ in range(10)]
    probe_at = open_breaker(store, service)
    if when != "open":
        probe_time_comes(client, service)
        probe = admitted(store, service)
    if when == "closed again":
        store.succeed(service, probe)
        for _ in range(4):
            store.fail(service, admitted(store, service), FIVE)
    for call in late[:5]:
        assert store.fail(service, call, FIVE) is None
    for call in late[5:]:
        assert store.succeed(service, call) is False
    if when == "open":
        assert ask(store, service) == Refused(probe_at=probe_at)
    if when == "half_open":
        assert isinstance(ask(store, service), Refused)
        assert store.succeed(service, probe) is True
    if when == "closed again":  # the row of four stands as it was
        assert store.fail(service, admitted(store, service), FIVE) is not None


def test_parked_jobs_come_at_a_rate_that_grows_by_one_a_second_each_second(
    store: BreakerStore, client: redis.Redis, service: str
) -> None:
    probe_at = open_breaker(store, service)
    due = [store.park(service, f"job-{number}") - probe_at for number in range(201)]
    assert due == sorted(due)
    assert due[0] == 0  # the first one is the probe
    for seconds in range(1, 20):
        come = sum(moment < seconds - 1e-4 for moment in due)
        assert come == -(-(seconds**2) // 2)  # t^2 / 2
    status = status_of(store, service)
    assert status is not None
    assert status.parked == 201
    assert client.zcard(PARKED_PREFIX + service) == 201


def test_a_job_that_is_parked_twice_keeps_its_place(store: BreakerStore, service: str) -> None:
    open_breaker(store, service)
    first = store.park(service, "job-1")
    second = store.park(service, "job-2")
    assert store.park(service, "job-1") == first
    assert store.park(service, "job-3") > second


def test_a_job_whose_time_has_come_gets_a_new_place(store: BreakerStore, service: str) -> None:
    open_breaker(store, service, Breaker(failures=1, open_for=0.1))
    first = store.park(service, "job")
    store.park(service, "another")
    eventually(lambda: isinstance(ask(store, service), Admitted))
    assert store.park(service, "job") > first + LONG - 1  # behind the probe that is under way


def test_after_a_failed_probe_numbers_begin_anew_behind_the_next(
    store: BreakerStore, client: redis.Redis, service: str
) -> None:
    open_breaker(store, service)
    for number in range(5):
        store.park(service, f"job-{number}")
    probe_time_comes(client, service)
    probe = admitted(store, service)
    given_up_at = store.park(service, "meanwhile")
    assert ask(store, service) == Refused(probe_at=given_up_at)  # they wait behind the probe
    probe_at = store.fail(service, probe, FIVE)
    assert store.park(service, "first") == probe_at
    assert store.park(service, "second") == pytest.approx(probe_at + 2**0.5, abs=1e-5)


def test_a_job_that_is_to_be_parked_when_it_has_closed_may_ask_at_once(
    store: BreakerStore, client: redis.Redis, service: str
) -> None:
    open_breaker(store, service)
    probe_time_comes(client, service)
    store.succeed(service, admitted(store, service))
    assert store.park(service, "job") <= time.time()
    assert not client.exists(PARKED_PREFIX + service)


def test_a_closed_breaker_is_seen_until_its_parked_jobs_have_asked(
    store: BreakerStore, client: redis.Redis, service: str
) -> None:
    open_breaker(store, service, Breaker(failures=1, open_for=0.1))
    for number in range(2):  # due at the probe's time, and 1.4 s after it
        store.park(service, f"job-{number}")
    probe = eventually(lambda: isinstance(found := ask(store, service), Admitted) and found)
    store.succeed(service, probe)
    status = status_of(store, service)
    assert status is not None
    assert (status.state, status.failures, status.probe_at, status.parked) == ("closed", 0, None, 1)
    eventually(lambda: status_of(store, service) is None)
    eventually(lambda: not client.exists(PARKED_PREFIX + service))


def test_nothing_is_kept_for_ever(store: BreakerStore, client: redis.Redis, service: str) -> None:
    open_breaker(store, service)
    store.park(service, "job")
    assert client.ttl(RECORD_PREFIX + service) > LONG
    assert client.ttl(PARKED_PREFIX + service) <= LONG + 1
    probe_time_comes(client, service)
    store.succeed(service, admitted(store, service))
    store.fail(service, admitted(store, service), FIVE)
    for key in (RECORD_PREFIX + service, FAILURES_PREFIX + service):
        assert 0 < client.ttl(key) <= 86400
    assert 0 < client.zscore(KNOWN_KEY, service) - time.time() <= 86401


def test_a_server_that_forgets_everything_closes_it(store: BreakerStore, client: redis.Redis, service: str) -> None:
    open_breaker(store, service)
    probe_time_comes(client, service)
    probe = admitted(store, service)
    client.delete(RECORD_PREFIX + service)
    assert store.fail(service, probe, FIVE) is None
    assert store.succeed(service, probe) is False
    assert not client.exists(FAILURES_PREFIX + service)
    assert not admitted(store, service).is_probe
