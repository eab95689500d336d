"""One look at the jobs for all who ask within a second, however many poll."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from apps.core.health.facts import facts
from apps.core.health.last_known import remember
from apps.core.health.snapshot import Snapshot, take
from apps.core.health.verdict import Verdict, verdict
from apps.core.metrics.windows import Window

SHARED_FOR: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one sees."""

    snapshot: Snapshot
    verdict: Verdict
    at: datetime  # when it was begun


_looks: dict[Window, Look] = {}
_locks: Final = {window: Lock() for window in Window}


def look(*, now: datetime, window: Window = Window.H1) -> Look:
    """A look that is younger than a second, or a new one, for which others that ask meanwhile wait.

    A new one is also what was known last, once a server does not answer.
    """
    with _locks[window]:
        last = _looks.get(window)
        if last is None or not timedelta() <= now - last.at < SHARED_FOR:
            snapshot = take(now=now, window=window)
            last = _looks[window] = Look(snapshot=snapshot, verdict=verdict(snapshot), at=now)
            remember(facts(last.snapshot, last.verdict))
        return last


def forget() -> None:
    """The next one who asks looks anew."""
    _looks.clear()
