"""What was known last, for the time in which a server does not answer.

It is kept in Django's cache "last_known", or else in the default one. A folder of this machine, which all its web
processes share, is a good place; the broker is none.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from ..logs import get_logger
from ..queues import QUEUES

ALIAS: Final = "last_known"
KEY: Final = "bgjobs:last_known"
USUAL: Final = "1h"  # window
OF_BROKER: Final = (
    "queues",
    "tasks",
    "workers",
    "idempotency",
    "breakers",
    "fuses",
    "quarantine",
    "runs_to_archive",
)
OF_DATABASE: Final = ("schedules", "failures", "outbox")

Facts = dict[str, Any]

log = get_logger(__name__)
_told: set[str] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class LastKnown:
    facts: Facts  # of all queues
    at: datetime
    age_seconds: float


def remember(facts: Facts) -> None:
    """Keep these facts of all queues, unless a server has not answered."""
    if _is_silent(facts, "broker") or _is_silent(facts, "database"):
        return
    try:
        _cache().set(f"{KEY}:{facts['window']}", facts)
    except Exception as error:  # noqa: BLE001 - caches raise what they like, and the facts of now are there
        _complain("last_known.not_kept", error)


def recall(window: str = USUAL, *, now: datetime | None = None) -> LastKnown | None:
    """With the rates of this window, else with the usual ones. None where nothing was kept, or it cannot be read."""
    try:
        cache = _cache()
        facts = cache.get(f"{KEY}:{window}") or cache.get(f"{KEY}:{USUAL}")
    except Exception as error:  # noqa: BLE001 - as above
        _complain("last_known.not_read", error)
        return None
    if not facts:
        return None
    at = datetime.fromisoformat(facts["generated_at"])
    age = ((now or datetime.now(UTC)) - at).total_seconds()
    return LastKnown(facts=facts, at=at, age_seconds=max(age, 0.0))


def completed(facts: Facts, *, now: datetime | None = None) -> Facts:
    """These facts; what a silent server would have told is of the last time that it did, and they are "stale" then.

    Status, verdict and problems stay those of now. `known_at` and `known_age_seconds` say when the rest was so, and
    `stale_parts` what is of that time; with null and none, nothing is known of an earlier time.
    """
    silent = [name for name in ("broker", "database") if _is_silent(facts, name)]
    if not silent:
        return facts
    last = recall(facts["window"], now=now)
    if last is None:
        return facts | {"stale": True, "stale_parts": [], "known_at": None, "known_age_seconds": None}
    parts = (OF_BROKER if "broker" in silent else ()) + (OF_DATABASE if "database" in silent else ())
    known = {part: last.facts[part] for part in parts}
    known |= {server: last.facts[server] | {"reachable": False} for server in silent}
    return (
        facts
        | _of_these_queues(known, facts)
        | {
            "stale": True,
            "stale_parts": sorted(known),
            "known_at": last.facts["generated_at"],
            "known_age_seconds": last.age_seconds,
        }
    )


def _of_these_queues(known: Facts, facts: Facts) -> Facts:
    """What was kept is of all queues; somebody may have asked for one."""
    names = {queue["name"] for queue in facts["queues"]}
    if "queues" in known:
        known["queues"] = [queue for queue in known["queues"] if queue["name"] in names]
    if known.get("tasks") is not None:
        all_asked = len(names) == len(QUEUES)
        known["tasks"] = [task for task in known["tasks"] if all_asked or task["queue"] in names]
    if "schedules" in known:
        known["schedules"] = known["schedules"] | {"beats_alive": facts["schedules"]["beats_alive"]}
    return known


def _is_silent(facts: Facts, server: str) -> bool:
    return not facts[server]["reachable"]


def _complain(event: str, error: Exception) -> None:
    """Once in a process for each trouble: pages look every few seconds."""
    trouble = f"{event} {type(error).__name__}"
    if trouble not in _told:
        _told.add(trouble)
        log.warning(event, error=type(error).__name__)


def _cache() -> BaseCache:
    return caches[ALIAS if ALIAS in settings.CACHES else "default"]
