"""One of several processes that call a service at the same time: `python -m … SERVICE ROLE COUNT`.

It says that it is ready, waits for a line, acts, and prints what it has seen as JSON.
"""

import json
import os
import sys
import threading
from typing import Any

from apps.core.circuit_breaker import Admitted, Breaker, BreakerStore
from apps.core.redis_client import connect

from .records import LONG

NEVER = Breaker(failures=1_000_000, open_for=LONG)
FIVE = Breaker(failures=5, open_for=LONG)


def fail(store: BreakerStore, service: str, count: int, options: Breaker) -> dict[str, int]:
    """All calls are let through before the first one fails, so every process has late failures to tell."""
    process = os.getpid()
    calls = [store.admit(service, f"{process}-{number}", lease=LONG) for number in range(count)]
    wait_for_line()
    opened = sum(store.fail(service, call, options) is not None for call in calls if isinstance(call, Admitted))
    return {"admitted": sum(isinstance(call, Admitted) for call in calls), "opened": opened}


def ask(store: BreakerStore, service: str, count: int) -> dict[str, int]:
    """Threads ask at one moment; each has a connection of its own."""
    answers: list[Any] = []
    barrier = threading.Barrier(count + 1)

    def one(number: int) -> None:
        barrier.wait()
        answers.append(store.admit(service, f"{os.getpid()}-{number}", lease=LONG))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    wait_for_line()
    barrier.wait()
    for thread in threads:
        thread.join()
    return {"admitted": sum(isinstance(answer, Admitted) for answer in answers), "asked": len(answers)}


def hang(store: BreakerStore, service: str) -> None:
    """A probe that is killed before it can say anything."""
    assert isinstance(store.admit(service, "killed", lease=0.5), Admitted)
    wait_for_line()


def park(store: BreakerStore, service: str, count: int) -> list[float]:
    wait_for_line()
    return [store.park(service, f"{os.getpid()}-{number}") for number in range(count)]


def wait_for_line() -> None:
    print("ready", flush=True)  # noqa: T201 - the test reads it
    sys.stdin.readline()


def main(service: str, role: str, count: str) -> None:
    store = BreakerStore(connect(os.environ["BROKER_URL"]))
    roles = {
        "fail": lambda: fail(store, service, int(count), FIVE),
        "count": lambda: fail(store, service, int(count), NEVER),
        "ask": lambda: ask(store, service, int(count)),
        "hang": lambda: hang(store, service),
        "park": lambda: park(store, service, int(count)),
    }
    print(json.dumps(roles[role]()))  # noqa: T201 - likewise


if __name__ == "__main__":
    main(*sys.argv[1:])
