"""What the tests know of a breaker's keys, and how they let time pass."""

import itertools

import redis

from apps.core.circuit_breaker import Admitted, Breaker, BreakerStatus, BreakerStore, Refused
from apps.core.circuit_breaker.store import FAILURES_PREFIX, PARKED_PREFIX, RECORD_PREFIX

LONG = 1000.0  # seconds: never within a test
FIVE = Breaker(failures=5, open_for=LONG)

_calls = itertools.count()


def keys_of(service: str) -> list[str]:
    return [prefix + service for prefix in (RECORD_PREFIX, FAILURES_PREFIX, PARKED_PREFIX)]


def probe_time_comes(client: redis.Redis, service: str) -> None:
    client.hset(RECORD_PREFIX + service, "probe_at", "1.000000")


def ask(store: BreakerStore, service: str, lease: float = LONG) -> Admitted | Refused:
    return store.admit(service, f"call-{next(_calls)}", lease=lease)


def admitted(store: BreakerStore, service: str) -> Admitted:
    """A call that is let through."""
    answer = ask(store, service)
    assert isinstance(answer, Admitted)
    return answer


def open_breaker(store: BreakerStore, service: str, options: Breaker = FIVE) -> float:
    """The moment of the next probe."""
    for call in [admitted(store, service) for _ in range(options.failures)]:
        probe_at = store.fail(service, call, options)
    assert probe_at is not None
    return probe_at


def status_of(store: BreakerStore, service: str) -> BreakerStatus | None:
    return next((one for one in store.look() if one.service == service), None)
