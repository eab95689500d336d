"""Calls to a service that keeps failing are suspended, for all workers alike, until a probe succeeds."""

from .breaker import Permit, ServiceBreaker, breaker_for, breakers, look, park
from .options import Breaker
from .store import Admitted, BreakerStatus, BreakerStore, Refused

__all__ = [
    "Admitted",
    "Breaker",
    "BreakerStatus",
    "BreakerStore",
    "Permit",
    "Refused",
    "ServiceBreaker",
    "breaker_for",
    "breakers",
    "look",
    "park",
]
