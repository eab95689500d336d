"""Who works: each worker as a card, with what it does now."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.core.health.queue_health import WorkerHealth
from apps.core.health.snapshot import Snapshot

from ..access import page
from ..looking import look
from .base import show


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    health: WorkerHealth
    silent_for: float | None  # seconds since its card was written; None: not known
    holds: int  # messages


@require_safe
@page
def workers(request: HttpRequest) -> HttpResponse:
    snapshot = look(now=datetime.now(UTC)).snapshot
    found = _workers(snapshot)
    return show(
        request,
        "monitoring/workers.html",
        title="Workers",
        place="workers",
        workers=found,
        versions=sorted({card.version for card in _cards(snapshot) if card.version}),
        unknown=snapshot.unknown.get("broker", "") or snapshot.unknown.get("cards", ""),
    )


def _workers(snapshot: Snapshot) -> list[Worker] | None:
    if snapshot.workers is None:
        return None
    now = snapshot.at.timestamp()
    return [
        Worker(
            health=one,
            silent_for=None if one.card is None else max(now - one.card.at, 0.0),
            holds=sum(one.leases.values()),
        )
        for one in sorted(snapshot.workers, key=lambda one: (not one.alive, one.name))
    ]


def _cards(snapshot: Snapshot) -> list[Any]:
    return [one.card for one in snapshot.workers or () if one.card is not None]
