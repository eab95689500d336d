"""The first page: the verdict, and how everything stands."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.core.health.queue_health import QueueHealth
from apps.core.metrics.windows import Window

from ..access import page
from ..api.asked import Asked
from ..api.content import content
from ..charts import Sparkline, sparkline
from ..looking import look
from .base import show

EVERYTHING: Final = Asked(queue=None, window=Window.H1)
SIGNS: Final = {"ok": "✔", "degraded": "▲", "critical": "✖", "unknown": "?"}
NEXT: Final = 8  # entries of the timetable, those that are due first


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    facts: dict[str, Any]
    is_late: bool
    chart: Sparkline | None  # jobs started in each minute of the last hour; None: not known


@require_safe
@page
def overview(request: HttpRequest) -> HttpResponse:
    now = datetime.now(UTC)
    seen, facts = look(now=now), content(EVERYTHING, now=now)
    health = {one.name: one for one in seen.snapshot.queues}
    entries = facts["schedules"]["list"]
    return show(
        request,
        "monitoring/overview.html",
        title="Background jobs",
        place="changelist",
        facts=facts,
        sign=SIGNS[facts["status"]],
        spoken_of=spoken_of(facts),
        problems_key=";".join(map(key_of, facts["problems"])),
        queues=[_row(queue, health[queue["name"]]) for queue in facts["queues"]],
        entries=None if entries is None else sorted(entries, key=lambda entry: entry["next_due"])[:NEXT],
        more_entries=max(len(entries or ()) - NEXT, 0),
    )


def spoken_of(facts: dict[str, Any]) -> str:
    """What the verdict is about: live.js announces it, and changes the button, when this has changed."""
    return ";".join((facts["status"], *map(key_of, facts["problems"][:1])))


def key_of(problem: dict[str, Any]) -> str:
    """What tells a problem from others; its words change with each look. live.js does the same."""
    return "|".join(problem[name] or "" for name in ("code", "queue", "entry", "target"))


def _row(facts: dict[str, Any], health: QueueHealth) -> QueueRow:
    age = facts["oldest_age_seconds"]
    return QueueRow(
        facts=facts,
        is_late=age is not None and age > facts["sla_seconds"],
        chart=None if health.numbers is None else _chart(health),
    )


def _chart(health: QueueHealth) -> Sparkline:
    minutes = [minute.started for minute in health.numbers.minutes] if health.numbers else []
    total, most = sum(minutes), max(minutes, default=0)
    title = f"{health.name}: {total:,} jobs started in the last hour, {most:,} at most in a minute"
    return sparkline(minutes, title=title)
