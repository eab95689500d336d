"""Measuring how long urgent jobs wait while something else keeps the machine busy."""

import time
from collections.abc import Callable

from .jobs import WAITS, server, urgent


def waits_of_urgent_jobs(*, per_second: float, until: Callable[[int], bool]) -> list[float]:
    """Enqueues urgent jobs at a steady rate until `until(count)`; the sorted waits of all, in seconds."""
    server().delete(WAITS)
    sent, next_at = 0, time.monotonic()
    while not until(sent):
        urgent.delay()
        sent += 1
        next_at += 1 / per_second
        time.sleep(max(next_at - time.monotonic(), 0))
    deadline = time.monotonic() + 60
    while server().llen(WAITS) < sent and time.monotonic() < deadline:
        time.sleep(0.05)
    waits = sorted(float(wait) for wait in server().lrange(WAITS, 0, -1))
    assert len(waits) == sent, f"{sent - len(waits)} of {sent} urgent jobs never ran"
    return waits


def percentile(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)]


def in_words(waits: list[float]) -> str:
    p50, p99 = percentile(waits, 0.50), percentile(waits, 0.99)
    return f"{len(waits)} jobs: p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, longest {waits[-1] * 1e3:.1f} ms"
