"""Jobs that were given up."""

from collections.abc import Iterator
from typing import Final

from ..given_up import GivenUp
from ..problem import Problem
from ..snapshot import Snapshot
from ..words import clock, some

MANY: Final = 10  # letters in an hour, from which on they are said to grow
GROWTH: Final = 2  # times as many as in the hour before


def of_failures(snapshot: Snapshot) -> Iterator[Problem]:
    if (seen := snapshot.given_up) is None:
        return
    yield from _growing(seen)
    yield from _new(seen, snapshot)
    if seen.count:
        reasons = ", ".join(f"{count} {reason}" for reason, count in seen.by_reason.items())
        yield Problem(
            code="dead_letters_open",
            severity="warning",
            message=f"{some(seen.count, 'job was', 'jobs were')} given up: {reasons}",
            hint="manage.py jobs dead-letters --group says why; then jobs retry or jobs discard, with --fingerprint.",
        )


def _growing(seen: GivenUp) -> Iterator[Problem]:
    if seen.last_hour >= MANY and seen.last_hour >= GROWTH * seen.hour_before:
        yield Problem(
            code="dead_letters_growing",
            severity="warning",
            message=f"{seen.last_hour} jobs were given up in the last hour, {seen.hour_before} in the hour before",
            cause=_chief(seen),
            hint="Mend the cause, then retry them by fingerprint.",
        )


def _new(seen: GivenUp, snapshot: Snapshot) -> Iterator[Problem]:
    for trouble in seen.latest:
        if trouble.is_new:
            yield Problem(
                code="failure_new",
                severity="warning",
                since=trouble.first_at,
                message=f"{trouble.task or 'An unreadable message'} fails in a new way since "
                f"{clock(trouble.first_at, snapshot.at)} ({some(trouble.count, 'job', 'jobs')})",
                cause=trouble.error,
                hint=f"manage.py jobs dead-letters --fingerprint {trouble.fingerprint} says more; then retry them.",
                action="retry",
                target=trouble.fingerprint,
            )


def _chief(seen: GivenUp) -> str:
    """The trouble that has hit most jobs, of the latest."""
    if not seen.latest:
        return ""
    chief = max(seen.latest, key=lambda trouble: trouble.count)
    return f"most are {chief.task or 'unreadable'}" + (f" with {chief.error}" if chief.error else "")
