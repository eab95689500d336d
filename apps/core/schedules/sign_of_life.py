"""A beat's sign of life: what a beat that is stopped, or hangs, does not give any more.

It is on the broker's server, behind the installation's prefix, and ends by itself.
"""

import time
from typing import Any, Final

import redis
from django.core.exceptions import ImproperlyConfigured

from ..broker.configured import client_for, prefix_of
from ..owners import owner_id

KEY: Final = "bgjobs:beat:"  # one for each beat that lives, behind it its owner
KNOWN_KEY: Final = "bgjobs:beats"  # the owners, of whom some may have ended
EVERY: Final = 1.0  # seconds
KEPT: Final = 5  # seconds without a sign; then a beat counts as dead
PATIENCE: Final = 0.25  # seconds for the server: nothing that is due may wait for it
APART: Final = 3.0  # seconds between two attempts while the server does not answer


class SignOfLife:
    """Given by the beat's own loop, so that it says what matters: that somebody looks at the clock."""

    def __init__(self, conf: Any) -> None:
        self._conf = conf
        self._next = 0.0
        self._client: redis.Redis | None = None

    def give(self) -> None:
        """At most once a second. A server that does not answer costs a moment every few seconds."""
        if time.monotonic() < self._next:
            return
        try:
            self._write()
        except (redis.RedisError, ImproperlyConfigured):  # or a broker that is neither Valkey nor Redis
            self._next = time.monotonic() + APART
        else:
            self._next = time.monotonic() + EVERY

    def _write(self) -> None:
        if self._client is None:
            self._client = client_for(self._conf, connect_timeout=PATIENCE, reply_timeout=PATIENCE, retries=0)
        prefix = prefix_of(self._conf)
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.sadd(f"{prefix}{KNOWN_KEY}", owner_id())
            pipeline.set(f"{prefix}{KEY}{owner_id()}", "1", ex=KEPT)
            pipeline.execute()


def live_beats(client: redis.Redis, prefix: str) -> tuple[str, ...]:
    """The owners of the beats that live. Raises redis.RedisError."""
    known: Any = client.smembers(f"{prefix}{KNOWN_KEY}")
    owners = sorted(owner.decode() for owner in known)
    with client.pipeline(transaction=False) as pipeline:
        for owner in owners:
            pipeline.exists(f"{prefix}{KEY}{owner}")
        alive = dict(zip(owners, pipeline.execute(), strict=True))
    gone = [owner for owner in owners if not alive[owner]]
    if gone:
        client.srem(f"{prefix}{KNOWN_KEY}", *gone)  # one that is only slow adds itself again
    return tuple(owner for owner in owners if alive[owner])
