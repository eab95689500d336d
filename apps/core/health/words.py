"""Moments and errors as people and machines read them."""

from datetime import UTC, datetime
from typing import Final

from ..logs import redact

LONGEST: Final = 300  # characters of an error


def clock(instant: datetime, now: datetime) -> str:
    """An instant for people: the time of day, after the date where that is another than today's; in UTC."""
    instant = instant.astimezone(UTC)
    is_today = instant.date() == now.astimezone(UTC).date()
    return f"{instant:%H:%M}" if is_today else f"{instant:%Y-%m-%d %H:%M}"


def iso(instant: datetime | None) -> str | None:
    """An instant for machines: 2026-11-23T11:24:00Z."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(seconds: float) -> str:
    """The same of seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def why(error: Exception) -> str:
    """An error in one line, without secrets."""
    return " ".join(redact(f"{type(error).__name__}: {error}").split())[:LONGEST]


def some(count: int, one: str, many: str) -> str:
    """As in some(3, "job waits", "jobs wait")."""
    return f"{count} {one if count == 1 else many}"
