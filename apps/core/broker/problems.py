"""What is wrong with the broker, worst first, each with what to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from .status import QueueStatus, Status

MEMORY_ALERT: Final = 0.8  # of what the server may use
SOON: Final = 1.0  # seconds within which somebody comes for a message, whoever was woken

Severity = Literal["critical", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    code: str
    severity: Severity
    message: str
    hint: str
    queue: str | None = None


def problems(status: Status) -> list[Problem]:
    found = [
        *_of_server(status),
        *(one for queue in status.queues for one in _of_queue(queue)),
        *_of_messages(status),
    ]
    return worst_first(found)


def worst_first(found: list[Problem]) -> list[Problem]:
    """Else in the order in which they are given."""
    return sorted(found, key=lambda problem: problem.severity != "critical")


def _of_server(status: Status) -> Iterator[Problem]:
    if status.unreachable:
        yield Problem(
            code="server_unreachable",
            severity="critical",
            message=f"The broker cannot be asked: {status.unreachable}",
            hint="Start the server, or correct BROKER_URL. Workers wait for it, and nothing is lost meanwhile.",
        )
    if status.refused:
        yield Problem(
            code="server_refuses_writes",
            severity="critical",
            message=f"The broker takes no writes, so no job can start: {status.refused}",
            hint="Give it memory or disk, or point BROKER_URL at the master. Workers go on by themselves.",
        )
    ratio = status.facts.memory_used_ratio if status.facts else None
    if ratio is not None and ratio >= MEMORY_ALERT:
        yield Problem(
            code="memory_high",
            severity="warning",
            message=f"The broker has used {ratio:.0%} of its memory; at 100 % it takes no jobs.",
            hint="Raise maxmemory, or start workers for the longest queue.",
        )


def _of_queue(one: QueueStatus) -> Iterator[Problem]:
    name, ready, age = one.queue.name, one.ready or 0, one.oldest_age_seconds
    if one.pause is not None:
        yield Problem(
            code="queue_paused",
            severity="warning",
            queue=name,
            message=f"{name} is paused: {one.pause.why}" + (f" ({ready} wait)" if ready else ""),
            hint=f"manage.py jobs resume {name} --reason …",
        )
        return  # which explains all else
    if ready and one.serve == 0 and (age is None or age >= SOON):
        yield Problem(
            code="queue_without_consumer",
            severity="critical",
            queue=name,
            message=f"{ready} ready in {name}, and nobody waits for them or holds any of that queue",
            hint="Is its worker running? One that is full of another queue's jobs looks the same: it needs slots.",
        )
    if age is not None and age > one.queue.sla_seconds:
        yield Problem(
            code="queue_over_sla",
            severity="critical",
            queue=name,
            message=f"{name} is late: its oldest message has waited {age:.1f} s of {one.queue.sla_seconds:g} s",
            hint=f"{one.serve or 0} workers serve it, {ready} are ready: start more, or look for one slow job."
            if one.serve is not None
            else "Start more workers, or look for one slow job.",
        )


def _of_messages(status: Status) -> Iterator[Problem]:
    for owner in status.owners or ():
        if not owner.alive and owner.leases:
            yield Problem(
                code="owner_silent",
                severity="warning",
                message=f"{owner.name} is silent and holds {sum(owner.leases.values())} messages",
                hint="A living worker gives them back within seconds: start one, of whatever queue.",
            )
    if status.quarantine and status.quarantine.count:
        reasons = ", ".join(f"{count} {reason}" for reason, count in status.quarantine.by_reason.items())
        yield Problem(
            code="quarantine_not_empty",
            severity="warning",
            message=f"{status.quarantine.count} in quarantine: {reasons}",
            hint="They become dead letters by themselves: is a relay running? manage.py jobs quarantine lists them.",
        )
    if status.is_leased and status.claimed_by_stock:
        yield Problem(
            code="claimed_by_stock",
            severity="warning",
            message=f"{status.claimed_by_stock} messages are with workers of the stock transport, dead or alive",
            hint="Once those are stopped: manage.py jobs migrate --from-stock --reason …",
        )
