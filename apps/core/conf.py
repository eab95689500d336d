"""The engine's settings: Django's BGJOBS, read once. All durations are seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from .queues import Pool, nearest

if TYPE_CHECKING:
    from .circuit_breaker import Breaker


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    pools: tuple[Pool, ...] = ()  # the worker pools that serve the queues, on every machine alike
    store_url: str | None = None  # the server that holds the engine's own state; None: the broker's
    heartbeat_every: float = 1.0  # between two signs of life of a process that runs jobs
    dead_after: float = 4.0  # of silence; then its jobs may be taken over
    dead_letters_kept_days: float = 90  # since their jobs were given up; open ones, too
    breakers: "Mapping[str, Breaker]" = field(default_factory=dict)  # by service, where the defaults do not fit
    firings_kept_days: float = 90  # the history of the timetable
    runs_kept_days: float = 30  # the history of runs, since they ended
    records_kept_days: float = 7  # that a durable job is done, at least as long as it answers duplicates
    dashboard: str | None = None  # the path on this site under which it is; None: there is none
    zones: str | None = None  # dotted path of a function: the time zones where the project's people and sites are


@cache
def engine_settings() -> EngineSettings:
    """The settings in force. Raises ImproperlyConfigured for a name that does not exist."""
    given: dict[str, Any] = getattr(settings, "BGJOBS", {})
    known = {field.name for field in fields(EngineSettings)}
    for name in given.keys() - known:
        raise ImproperlyConfigured(f"BGJOBS has no setting {name!r}; {nearest(name, known)}")
    return EngineSettings(**given)


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "BGJOBS":
        engine_settings.cache_clear()


setting_changed.connect(_forget)
