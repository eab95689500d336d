"""How the breakers of external services stand, for `manage.py jobs status`."""

from collections.abc import Iterator
from typing import Any, Final

import redis
from django.core.management.base import BaseCommand

from ..broker.problems import Problem
from ..circuit_breaker import BreakerStatus, look
from .output import moment, table

Breakers = tuple[BreakerStatus, ...] | None  # None: not known

HEADINGS: Final = ("service", "failures", "parked", "calls", "since", "next probe")
CALLS: Final = {"closed": "allowed", "open": "SUSPENDED", "half_open": "one, as a probe"}


def read_breakers() -> Breakers:
    """Those that are not closed, and those behind which jobs are parked."""
    try:
        return look()
    except redis.RedisError:
        return None


def breaker_problems(breakers: Breakers) -> Iterator[Problem]:
    for one in breakers or ():
        if one.state != "closed":
            yield Problem(
                code="breaker_open",
                severity="warning",
                message=f"{one.service} keeps failing and is not called since {moment(one.since)}: "
                f"{one.parked} jobs are parked",
                hint="It is tried again by itself, and its jobs follow. Is the service down, or the way to it?",
            )


def breaker_facts(breakers: Breakers) -> list[dict[str, Any]] | None:
    """For machines."""
    if breakers is None:
        return None
    return [
        {
            "service": one.service,
            "state": one.state,
            "since": moment(one.since),
            "failures": one.failures,
            "probe_at": None if one.probe_at is None else moment(one.probe_at),
            "parked": one.parked,
        }
        for one in breakers
    ]


def breaker_parts(command: BaseCommand, breakers: Breakers) -> list[Any]:
    """For people; nothing where there is nothing to tell."""
    rows = [
        (
            one.service,
            str(one.failures),
            str(one.parked),
            CALLS[one.state],
            moment(one.since),
            "-" if one.probe_at is None else moment(one.probe_at),
        )
        for one in breakers or ()
    ]
    return ["", table(command, HEADINGS, rows, numbers=2)] if rows else []
