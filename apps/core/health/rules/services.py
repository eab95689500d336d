"""Breakers of external services, and fuses of tasks: what is left alone for a while."""

from collections.abc import Iterator
from datetime import UTC, datetime

from ..problem import Problem
from ..snapshot import Snapshot
from ..words import clock, some


def of_services(snapshot: Snapshot) -> Iterator[Problem]:
    yield from _breakers(snapshot)
    yield from _fuses(snapshot)


def _breakers(snapshot: Snapshot) -> Iterator[Problem]:
    for one in snapshot.breakers or ():
        if one.state != "closed":
            since = datetime.fromtimestamp(one.since, UTC)
            yield Problem(
                code="breaker_open",
                severity="warning",
                since=since,
                message=f"{one.service} keeps failing and is not called since {clock(since, snapshot.at)}: "
                f"{some(one.parked, 'job is', 'jobs are')} parked",
                hint="It is tried again by itself, and its jobs follow. Is the service down, or the way to it?",
            )


def _fuses(snapshot: Snapshot) -> Iterator[Problem]:
    for fuse in snapshot.fuses or ():
        by, separator, why = fuse.why.partition(": ")
        until = clock(datetime.fromtimestamp(fuse.until, UTC), snapshot.at)
        yield Problem(
            code="task_fused",
            severity="warning",
            message=f"Jobs of {fuse.task} do not start until {until}",
            cause=f"{by} has fused it: {why}" if separator else fuse.why,
            hint=f"Let them go on: manage.py jobs unfuse {fuse.task} --reason …",
            action="unfuse",
            target=fuse.task,
        )
