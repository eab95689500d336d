"""What api/metrics/ answers."""

from datetime import datetime
from typing import Any

from apps.core.health.facts import facts
from apps.core.health.last_known import completed

from ..looking import look
from .asked import Asked


def content(asked: Asked, *, now: datetime) -> dict[str, Any]:
    """The facts of now; what is not known is what was known last, and they are stale then."""
    seen = look(now=now, window=asked.window)
    return completed(facts(seen.snapshot, seen.verdict, queue=asked.queue), now=now)
