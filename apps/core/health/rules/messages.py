"""Messages that are somewhere where they should not stay, and ended attempts that are not archived."""

from collections.abc import Iterator
from typing import Final

from ...metrics.events import RUNS_KEPT, RUNS_TOGETHER
from ..problem import Problem
from ..snapshot import Snapshot
from ..words import some

RUNS_ALERT: Final = 0.8


def of_messages(snapshot: Snapshot) -> Iterator[Problem]:
    yield from _silent_owners(snapshot)
    yield from _quarantined(snapshot)
    yield from _not_archived(snapshot)
    yield from _claimed_by_stock(snapshot)


def _silent_owners(snapshot: Snapshot) -> Iterator[Problem]:
    for worker in snapshot.workers or ():
        if not worker.alive and worker.leases:
            held = some(sum(worker.leases.values()), "message", "messages")
            yield Problem(
                code="owner_silent",
                severity="warning",
                message=f"{worker.owner} is silent and holds {held}",
                hint="A living worker gives them back within seconds: start one, of whatever queue.",
            )


def _quarantined(snapshot: Snapshot) -> Iterator[Problem]:
    seen = snapshot.broker.quarantine
    if seen and seen.count:
        reasons = ", ".join(f"{count} {reason}" for reason, count in seen.by_reason.items())
        yield Problem(
            code="quarantine_not_empty",
            severity="warning",
            message=f"{seen.count} in quarantine: {reasons}",
            hint="They become dead letters by themselves: is a relay running? manage.py jobs quarantine lists them.",
        )


def _not_archived(snapshot: Snapshot) -> Iterator[Problem]:
    waiting = snapshot.runs_to_archive
    if waiting is not None and waiting >= RUNS_ALERT * RUNS_KEPT:
        yield Problem(
            code="runs_not_archived",
            severity="warning",
            message=f"{waiting} entries of ended attempts, each of up to {RUNS_TOGETHER}, wait to be archived; "
            f"of more than {RUNS_KEPT} the oldest are lost to the history",
            hint="Start a relay: a beat, or `manage.py jobs relay`.",
        )


def _claimed_by_stock(snapshot: Snapshot) -> Iterator[Problem]:
    status = snapshot.broker
    if status.is_leased and status.claimed_by_stock:
        held = some(status.claimed_by_stock, "message is", "messages are")
        yield Problem(
            code="claimed_by_stock",
            severity="warning",
            message=f"{held} with workers of the stock transport, dead or alive",
            hint="Once those are stopped: manage.py jobs migrate --from-stock --reason …",
        )
