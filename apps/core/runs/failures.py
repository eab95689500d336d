"""What keeps going wrong: attempts that failed or had to be retried, and dead letters, by their fingerprint."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.db import connection

HOURS: Final = 24  # of a trend; what is younger is new
SILENCE: Final = timedelta(days=7)  # after which a trouble counts as gone
RETURN_SHOWN: Final = timedelta(days=7)  # for which one that came back nevertheless is shown as such

_GROUPS: Final = (Path(__file__).parent / "failures.sql").read_text()


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """One trouble, as far back as runs and letters are kept."""

    fingerprint: str
    task: str
    error: str  # name of the error's class; "": there was none, as with what expired
    first_seen: datetime
    last_seen: datetime
    count: int  # attempts that ended so; letters, where these are kept for longer and are more
    open_letters: int
    trend: tuple[int, ...]  # attempts an hour, the last 24 hours, the oldest first
    is_new: bool  # first seen in these
    regressed: bool  # seen again after all its letters had been replayed or discarded, or after long silence


def groups(now: datetime | None = None, limit: int = 50) -> list[FailureGroup]:
    """Those that were seen last come first. Raises django.db.Error."""
    now = now or datetime.now(UTC)
    facts: dict[str, Any] = {
        "now": now,
        "day_ago": now - timedelta(hours=HOURS),
        "long": SILENCE,
        "recent": now - RETURN_SHOWN,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, facts)
        return [_group(row, now) for row in cursor.fetchall()]


def _group(row: tuple[Any, ...], now: datetime) -> FailureGroup:
    fingerprint, task, error, first_seen, last_seen, count, open_letters, came_back, after_closing, hours = row
    is_new = first_seen > now - timedelta(hours=HOURS)
    return FailureGroup(
        fingerprint=fingerprint,
        task=task,
        error=error,
        first_seen=first_seen,
        last_seen=last_seen,
        count=count,
        open_letters=open_letters,
        trend=_trend(hours),
        is_new=is_new,
        regressed=came_back or after_closing,
    )


def _trend(hours: Any) -> tuple[int, ...]:
    """Out of the counts by how many hours ago."""
    found = json.loads(hours) if isinstance(hours, str) else hours or {}
    return tuple(int(found.get(str(ago), 0)) for ago in reversed(range(HOURS)))
