"""Doing the relay's chores for as long as a process lives, whatever is down meanwhile."""

import threading
from collections.abc import Callable, Sequence
from typing import Final

import redis
from django.db import Error as DatabaseError
from django.db import close_old_connections

from ..logs import get_logger
from . import rows

EVERY: Final = 0.5  # seconds between two looks
LONGEST_WAIT: Final = 2.0  # seconds between two attempts while the broker or the database is down

log = get_logger(__name__)

# Does a part of the work, and returns whether there may be more to do at once. Raises redis.RedisError and
# django.db.Error.
Chore = Callable[[], bool]


def keep_doing(chores: Sequence[Chore], stopped: threading.Event) -> None:
    """Do the chores until `stopped`. A server that is down costs its chores a turn, and is logged once."""
    wait = EVERY
    down = False
    while not stopped.wait(wait):
        try:
            more = [chore() for chore in chores]
        except (redis.RedisError, DatabaseError) as error:
            if not down:
                log.warning("relay.failed", error=type(error).__name__)
            down, wait = True, min(wait * 2 or EVERY, LONGEST_WAIT)
            rows.database().close()
        else:
            if down:
                log.warning("relay.recovered")
            down, wait = False, 0.0 if any(more) else EVERY
            close_old_connections()
