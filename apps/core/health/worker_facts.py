"""Workers for machines."""

from typing import Any

from .queue_health import WorkerHealth
from .words import moment


def workers_facts(workers: tuple[WorkerHealth, ...] | None) -> dict[str, Any]:
    if workers is None:
        return dict.fromkeys(("online", "processes_busy", "processes_total", "versions", "list"))
    alive = [one for one in workers if one.alive]
    cards = [one.card for one in alive if one.card is not None]
    told = len(cards) == len(alive)  # else the sums would be too small
    return {
        "online": len(alive),
        "processes_busy": sum(card.busy for card in cards) if told else None,
        "processes_total": sum(card.slots for card in cards)
        if told and all(card.slots is not None for card in cards)
        else None,
        "versions": sorted({card.version for card in cards if card.version}),
        "list": [_worker(one) for one in workers],
    }


def _worker(one: WorkerHealth) -> dict[str, Any]:
    card = one.card
    return {
        "owner": one.owner,
        "alive": one.alive,
        "leases": dict(one.leases),
        "node": card.node if card else None,
        "host": card.host if card else None,
        "pid": card.pid if card else None,
        "pool": card.pool if card else None,
        "queues": list(card.queues) if card else None,
        "processes_busy": card.busy if card else None,
        "processes_total": card.slots if card else None,
        "rss_bytes": card.rss_bytes if card else None,
        "version": card.version if card else None,
        "started_at": moment(card.started_at) if card else None,
        "jobs": [
            {"job": job.job, "task": job.task, "queue": job.queue, "since": moment(job.since)} for job in card.jobs
        ]
        if card
        else None,
    }
