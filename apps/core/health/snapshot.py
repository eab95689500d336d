"""How the jobs stand at one moment: everything that the verdict, the pages and the metrics are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import redis
from celery import current_app

from ..broker.status import Status
from ..circuit_breaker import BreakerStatus
from ..conf import engine_settings
from ..metrics.windows import Window
from ..outbox.look import OutboxLook
from .broker import BrokerLook, look_at_broker
from .database import DatabaseFacts, look_at_database
from .given_up import GivenUp
from .queue_health import QueueHealth, WorkerHealth
from .queue_numbers import IdempotencyNumbers, TaskNumbers, idempotency_numbers, queue_numbers, task_numbers
from .servers import breaker_store
from .timetable import TimetableLook
from .words import why

if TYPE_CHECKING:
    from ..broker.fuses import Fuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is not known is None; `unknown` says why, under the name of the part, "broker" or "database"."""

    at: datetime
    window: Window  # of rates, percentiles and tasks
    broker: Status
    queues: tuple[QueueHealth, ...]  # all that there are, in their order
    workers: tuple[WorkerHealth, ...] | None
    beats: tuple[str, ...] | None  # owners of those that live
    tasks: tuple[TaskNumbers, ...] | None
    idempotency: IdempotencyNumbers | None
    runs_to_archive: int | None  # entries of the stream of ended attempts, each of up to 16
    fuses: "tuple[Fuse, ...] | None"  # one for each fused task
    breakers: tuple[BreakerStatus, ...] | None  # those that are not closed, or behind which jobs are parked
    database: DatabaseFacts | None
    outbox: OutboxLook | None
    timetable: TimetableLook | None
    given_up: GivenUp | None
    unknown: Mapping[str, str] = field(default_factory=dict)


def take(*, now: datetime | None = None, window: Window = Window.H1) -> Snapshot:
    """Look at everything, in a few round trips, however many jobs wait. A server that is down is no error.

    Raises ImproperlyConfigured for a broker that is neither Valkey nor Redis.
    """
    now = now or datetime.now(UTC)
    broker = look_at_broker(window, now)
    unknown = dict(broker.unknown)
    breakers = _breakers(broker, unknown)
    database = look_at_database(now)
    return Snapshot(
        at=now,
        window=window,
        broker=broker.status,
        queues=tuple(_queues(broker, window)),
        workers=_workers(broker),
        beats=broker.beats,
        tasks=None if broker.numbers is None else task_numbers(broker.numbers[window]),
        idempotency=None if broker.numbers is None else idempotency_numbers(broker.numbers),
        runs_to_archive=broker.runs_to_archive,
        fuses=broker.fuses,
        breakers=breakers,
        database=database.database,
        outbox=database.outbox,
        timetable=database.timetable,
        given_up=database.given_up,
        unknown=unknown | database.unknown,
    )


def _breakers(broker: BrokerLook, unknown: dict[str, str]) -> tuple[BreakerStatus, ...] | None:
    """Nobody is asked where that is the broker's server, and it has not answered just now."""
    if broker.status.unreachable and engine_settings().store_url is None:
        return None
    try:
        return breaker_store(current_app.conf).look()
    except redis.RedisError as error:
        unknown["store"] = why(error)
        return None


def _queues(broker: BrokerLook, window: Window) -> list[QueueHealth]:
    numbers, minutes = broker.numbers, broker.minutes or {}
    return [
        QueueHealth(
            queue=one.queue,
            status=one,
            numbers=None
            if numbers is None
            else queue_numbers(one.queue, numbers, window, minutes.get(one.queue.name, ())),
        )
        for one in broker.status.queues
    ]


def _workers(broker: BrokerLook) -> tuple[WorkerHealth, ...] | None:
    owners, cards = broker.status.owners, broker.cards or {}
    if owners is None:
        return None
    return tuple(
        WorkerHealth(owner=one.name, alive=one.alive, leases=one.leases, card=cards.get(one.name)) for one in owners
    )
