"""Queues and tasks for machines."""

from dataclasses import asdict
from typing import Any, Final

from ..broker.depths import Pause
from ..metrics.windows import Window
from .queue_health import QueueHealth
from .queue_numbers import RATED, Percentiles, QueueNumbers, TaskNumbers
from .words import moment

SHOWN_WINDOWS: Final = (Window.M5, Window.H1, Window.D30)
NO_PERCENTILES: Final = dict.fromkeys(("p50", "p95", "p99"))


def queue_facts(one: QueueHealth) -> dict[str, Any]:
    status, is_known = one.status, one.status.serve is not None  # without this, no pause is known either
    return {
        "name": one.name,
        "rank": one.queue.rank,
        "sla_seconds": float(one.queue.sla_seconds),
        "slo_target": one.queue.slo_target,
        "ready": status.ready,
        "leased": status.leased,
        "delayed": status.delayed,
        "oldest_age_seconds": status.oldest_age_seconds,
        "consumers": status.serve,
        "idle": status.waits,
        "scout": status.scout,
        "paused": (_pause(status.pause) if status.pause else False) if is_known else None,
        **_numbers(one.numbers),
    }


def _numbers(numbers: QueueNumbers | None) -> dict[str, Any]:
    if numbers is None:
        return {
            "sla_ratio": dict.fromkeys(map(str, SHOWN_WINDOWS)),
            **dict.fromkeys(("error_budget_remaining", "burn_rate_5m", "burn_rate_1h", "burn_rate_24h")),
            "wait_seconds": dict(NO_PERCENTILES),
            "run_seconds": dict(NO_PERCENTILES),
            "rate_per_minute": dict.fromkeys(RATED),
        }
    return {
        "sla_ratio": {str(window): numbers.attainment[window] for window in SHOWN_WINDOWS},
        "error_budget_remaining": numbers.error_budget,
        "burn_rate_5m": numbers.burn_rate[Window.M5],
        "burn_rate_1h": numbers.burn_rate[Window.H1],
        "burn_rate_24h": numbers.burn_rate[Window.H24],
        "wait_seconds": _percentiles(numbers.wait),
        "run_seconds": _percentiles(numbers.run),
        "rate_per_minute": dict(numbers.rate_per_minute),
    }


def _percentiles(seconds: Percentiles) -> dict[str, float | None]:
    return asdict(seconds)


def _pause(pause: Pause) -> dict[str, Any]:
    return {"until": None if pause.until is None else moment(pause.until), **who_and_why(pause.why)}


def who_and_why(text: str) -> dict[str, str | None]:
    """Of "<actor>: <reason>"."""
    by, separator, why = text.partition(": ")
    return {"by": by if separator else None, "why": why if separator else text}


def task_facts(one: TaskNumbers) -> dict[str, Any]:
    return {
        "name": one.name,
        "queue": one.queue,
        "published": one.published,
        "started": one.started,
        "succeeded": one.succeeded,
        "failed": one.failed,
        "success_rate": one.success_rate,
        "retries": dict(one.retries),
        "run_seconds": _percentiles(one.run),
    }
