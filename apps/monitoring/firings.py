"""The last firings of each entry of the timetable, each with a sign that needs no colour."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.core.schedules.history import LATE
from apps.core.schedules.models import Firing

from .signs import Sign

LAST: Final = 30  # firings of an entry
# One look into the index for each name.
_LATEST: Final = """
    SELECT firing.*
    FROM unnest(%s::text[]) AS entry(name)
    CROSS JOIN LATERAL (
        SELECT * FROM bgjobs_firing WHERE bgjobs_firing.entry = entry.name ORDER BY due DESC LIMIT %s
    ) AS firing
    ORDER BY firing.due
"""

Outcome = Firing.Outcome


ON_TIME: Final = Sign(symbol="●", word="on time", kind="good")
TOO_LATE: Final = Sign(symbol="◐", word="late", kind="warn")
SIGNS: Final[dict[str, Sign]] = {
    Outcome.ENQUEUED: Sign(symbol="◌", word="waits", kind="idle"),
    Outcome.RUNNING: Sign(symbol="▶", word="runs", kind="idle"),
    Outcome.RETRYING: Sign(symbol="↻", word="to be retried", kind="warn"),
    Outcome.FAILED: Sign(symbol="✕", word="failed", kind="bad"),
    Outcome.EXPIRED: Sign(symbol="⌛", word="expired", kind="bad"),
    Outcome.REVOKED: Sign(symbol="⊘", word="revoked", kind="bad"),
    Outcome.SKIPPED: Sign(symbol="»", word="skipped", kind="warn"),
    Outcome.MISSED: Sign(symbol="○", word="missed", kind="bad"),
    Outcome.PAUSED: Sign(symbol="‖", word="paused", kind="idle"),
}
STRANGE: Final = Sign(symbol="?", word="unknown", kind="idle")
ALL: Final = (ON_TIME, TOO_LATE, *SIGNS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    firing: Firing
    sign: Sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The firings of one entry, the latest last."""

    shown: tuple[Shown, ...]

    @property
    def words(self) -> str:
        """ "28 on time, 1 late, 1 missed": what the signs say, for those who do not see them."""
        counts = Counter(one.sign.word for one in self.shown)
        told = ", ".join(f"{counts[sign.word]} {sign.word}" for sign in (*ALL, STRANGE) if counts[sign.word])
        return f"Last firings, the latest last: {told}"

    @property
    def remarkable(self) -> tuple[Shown, ...]:
        """Those that did not go as planned, the latest first."""
        return tuple(one for one in reversed(self.shown) if one.sign.kind in ("bad", "warn"))


def latest(names: Sequence[str], now: datetime) -> dict[str, Strip]:
    """By entry. Raises django.db.Error."""
    found: dict[str, list[Firing]] = {name: [] for name in names}
    for firing in Firing.objects.raw(_LATEST, [list(names), LAST]):
        found[firing.entry].append(firing)
    return {name: strip(firings, now) for name, firings in found.items()}


def strip(firings: Iterable[Firing], now: datetime) -> Strip:
    return Strip(shown=tuple(Shown(firing=firing, sign=sign_of(firing, now)) for firing in firings))


def sign_of(firing: Firing, now: datetime) -> Sign:
    """A job that succeeded after it had begun late is late, one that failed has failed."""
    is_late = (firing.started_at or now) > firing.due + LATE
    if firing.outcome in (Outcome.SUCCEEDED, Outcome.RUNNING, Outcome.ENQUEUED) and is_late:
        return TOO_LATE
    if firing.outcome == Outcome.SUCCEEDED:
        return ON_TIME
    return SIGNS.get(firing.outcome, STRANGE)
