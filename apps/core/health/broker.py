"""What the broker's server tells: how its queues and workers stand, and what has been counted there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

import redis
from celery import current_app

from ..broker.configured import is_leased
from ..broker.status import Status, read_status
from ..broker.store import MessageStore
from ..metrics import reader
from ..metrics.numbers import Numbers
from ..metrics.windows import Window
from ..schedules.sign_of_life import live_beats
from .minutes import Minutes, read_minutes
from .queue_numbers import OBJECTIVE_WINDOWS
from .servers import message_store
from .words import why

if TYPE_CHECKING:
    from ..broker.cards import Card
    from ..broker.fuses import Fuse

RUNS: Final = "runs"  # the stream of ended attempts
NO_NUMBERS: Final = "the broker is no leased:// one, so nothing is counted"

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLook:
    """What is None is not known; `unknown` says why, under the same names, or "broker" of all."""

    status: Status
    numbers: Mapping[Window, Numbers] | None = None  # of OBJECTIVE_WINDOWS, and of the one that was asked for
    minutes: Minutes | None = None
    cards: "Mapping[str, Card] | None" = None  # by owner
    fuses: "tuple[Fuse, ...] | None" = None
    beats: tuple[str, ...] | None = None  # owners
    runs_to_archive: int | None = None  # entries of the stream
    unknown: dict[str, str] = field(default_factory=dict)


def look_at_broker(window: Window, now: datetime) -> BrokerLook:
    """Raises ImproperlyConfigured for a broker that is neither Valkey nor Redis, and nothing else."""
    store, leased = message_store(current_app.conf), is_leased()
    status = read_status(store, is_leased=leased)
    if status.unreachable:
        return BrokerLook(status=status, unknown={"broker": status.unreachable})
    unknown: dict[str, str] = {}

    def part(name: str, read: Callable[[], Read]) -> Read | None:
        try:
            return read()
        except redis.RedisError as error:
            unknown[name] = why(error)
            return None

    beats = part("beats", lambda: live_beats(store.client, store.prefix))
    if not leased:
        return BrokerLook(status=status, beats=beats, unknown=unknown | {"numbers": NO_NUMBERS})
    alive = [owner.name for owner in status.owners or () if owner.alive]
    windows = dict.fromkeys((*OBJECTIVE_WINDOWS, window))
    return BrokerLook(
        status=status,
        numbers=part("numbers", lambda: {each: reader.read(store, each, now=now) for each in windows}),
        minutes=part("numbers", lambda: read_minutes(store, now)),
        cards=part("cards", lambda: store.cards(alive)),
        fuses=part("fuses", lambda: tuple(store.fuses().values())),
        beats=beats,
        runs_to_archive=part("runs_to_archive", lambda: _length_of_runs(store)),
        unknown=unknown,
    )


def _length_of_runs(store: MessageStore) -> int:
    return int(store.connections.call("XLEN", store.key(RUNS)))
