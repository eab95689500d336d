"""Tokens that this process has seen accepted lately, by which probes go on while the database is down."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

KEPT: Final = timedelta(minutes=5)
MOST: Final = 1000  # tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Whom a request comes from, as its token says."""

    name: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    bearer: Bearer
    until: datetime  # it stands for the database's answer


class RecentUses:
    """Digests, never secrets, of the last five minutes' accepted tokens. Threads share it."""

    def __init__(self) -> None:
        self._uses: dict[str, _Use] = {}  # the oldest first
        self._lock = Lock()

    def note(self, digest: str, bearer: Bearer, *, now: datetime, ends: datetime | None) -> None:
        """`ends`: when the token itself is over; None: never."""
        until = now + KEPT if ends is None else min(now + KEPT, ends)
        with self._lock:
            self._uses.pop(digest, None)
            self._uses[digest] = _Use(bearer=bearer, until=until)
            while len(self._uses) > MOST:
                del self._uses[next(iter(self._uses))]

    def recall(self, digest: str, *, now: datetime) -> Bearer | None:
        with self._lock:
            use = self._uses.get(digest)
        return use.bearer if use is not None and now < use.until else None

    def forget(self, digest: str) -> None:
        with self._lock:
            self._uses.pop(digest, None)
