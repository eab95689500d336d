"""What a run is made of: who enqueues what in which way, and which blows fall, all of it drawn from a seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import count
from random import Random

from ..scenario import QUEUES, spread
from ..workers import POOLS

ACCOUNTS = tuple(f"account-{number}" for number in range(8))
OPENING = Decimal("1000.00")  # balance of each account
RELAYS = ("relay-1", "relay-2")
ENQUEUER_STEPS = ("outbox.written", "outbox.committed", "outbox.published")
WORKER_STEPS = ("durable.worked", "durable.committed", "outbox.committed")  # one for each pool
RELAY_STEP = "relay.published"


class Blow(StrEnum):
    KILL_WORKER = "kill -9 of a worker with its children"
    KILL_CHILD = "kill -9 of a prefork child"
    KILL_RELAY = "kill -9 of a relay"
    KILL_BROKER = "kill -9 of the broker"
    FLUSH = "FLUSHALL"
    GO_BACK = "the broker's append-only file cut short"
    RESTART_DATABASE = "immediate shutdown of PostgreSQL"


LOSES_DATA = (Blow.FLUSH, Blow.GO_BACK)


class Way(StrEnum):
    """How jobs are enqueued."""

    OUTSIDE = "outside of a transaction"
    INSIDE = "in a transaction"
    TOGETHER = "in a transaction, many at once"
    ROLLED_BACK = "in a transaction that is rolled back"
    SAVEPOINT = "in a transaction, and another in a savepoint that is rolled back"


COMMITTED = {Way.OUTSIDE: 1, Way.INSIDE: 1, Way.TOGETHER: 4, Way.ROLLED_BACK: 0, Way.SAVEPOINT: 1}
WEIGHTS = {Way.OUTSIDE: 8, Way.INSIDE: 8, Way.TOGETHER: 1, Way.ROLLED_BACK: 3, Way.SAVEPOINT: 2}
LOST = {Way.ROLLED_BACK: 1, Way.SAVEPOINT: 1}  # jobs that are rolled back


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the enqueuer does in one go."""

    way: Way
    numbers: tuple[int, ...]  # of the transfers that are to happen
    doomed: tuple[int, ...]  # of those that are rolled back


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """What one job does."""

    source: str  # account
    target: str
    amount: Decimal
    seconds: float
    queue: str
    durable_child: bool  # else a plain one


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Durations are seconds. The jobs are enqueued, and the blows fall, in the course of `seconds`."""

    jobs: int = 1000  # that are to be committed, one for each transfer
    shortest: float = 0.05
    longest: float = 1.2
    seconds: float = 210.0
    worker_kills: int = 15
    child_kills: int = 20
    relay_kills: int = 10
    broker_kills: int = 6
    broker_down: float = 2.0
    flushes: int = 6
    cuts: int = 6
    cut_off: float = 3.0  # how far the broker's data goes back
    database_restarts: int = 6
    database_down: float = 2.0
    enqueuer_lives: int = 15  # of which each ends at a failpoint
    enqueuer_steps: tuple[int, int] = (5, 40)  # from, to: the step of a kind at which such a life ends
    worker_steps: tuple[int, int] = (15, 50)  # likewise, for each process that runs jobs
    relay_steps: tuple[int, int] = (2, 4)
    gap: float = 1.0  # between the end of a blow and the next one
    patience: float = 90.0  # after the last blow, for all that has been committed to be done

    def blows(self, seed: int) -> list[tuple[float, Blow]]:
        """The blows in their order, each with its moment, counted from the beginning of the run."""
        blows = [
            *[Blow.KILL_WORKER] * self.worker_kills,
            *[Blow.KILL_CHILD] * self.child_kills,
            *[Blow.KILL_RELAY] * self.relay_kills,
            *[Blow.KILL_BROKER] * self.broker_kills,
            *[Blow.FLUSH] * self.flushes,
            *[Blow.GO_BACK] * self.cuts,
            *[Blow.RESTART_DATABASE] * self.database_restarts,
        ]
        return spread(Random(f"{seed} blows"), blows, self.lasts, self.gap, self.seconds)

    def lasts(self, blow: Blow) -> float:
        durations = {
            Blow.KILL_BROKER: self.broker_down,
            Blow.GO_BACK: self.cut_off,
            Blow.RESTART_DATABASE: self.database_down,
        }
        return durations.get(blow, 0.0)

    def steps(self, seed: int) -> Iterator[Step]:
        """Until all jobs are to be committed."""
        chance, numbers, left = Random(f"{seed} steps"), count(), self.jobs
        while left > 0:
            (way,) = chance.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))
            if COMMITTED[way] > left:
                continue
            left -= COMMITTED[way]
            yield Step(
                way=way,
                numbers=tuple(next(numbers) for _ in range(COMMITTED[way])),
                doomed=tuple(next(numbers) for _ in range(LOST.get(way, 0))),
            )

    def transfer(self, seed: int, number: int) -> Transfer:
        chance = Random(f"{seed} transfer {number}")
        source, target = chance.sample(ACCOUNTS, 2)
        return Transfer(
            source=source,
            target=target,
            amount=Decimal(chance.randint(1, 100_00)) / 100,
            seconds=chance.uniform(self.shortest, self.longest),
            queue=chance.choice(QUEUES),
            durable_child=chance.random() < 0.5,
        )

    def failpoints_of_enqueuer(self, seed: int) -> list[str]:
        """Where its lives end, one after the other, each kind of step in its turn."""
        chance = Random(f"{seed} enqueuer")
        names = [ENQUEUER_STEPS[life % len(ENQUEUER_STEPS)] for life in range(self.enqueuer_lives)]
        return [f"{name}:{chance.randint(*self.enqueuer_steps)}" for name in names]

    def failpoint(self, seed: int, process: str) -> str:
        """Where each life of a worker's processes, or of a relay, ends; "" for any other process."""
        chance = Random(f"{seed} {process}")
        if process in RELAYS:
            return f"{RELAY_STEP}:{chance.randint(*self.relay_steps)}"
        steps = {pool.name: step for pool, step in zip(POOLS, WORKER_STEPS, strict=True)}
        return f"{steps[process]}:{chance.randint(*self.worker_steps)}" if process in steps else ""


SHORT = Scenario(
    jobs=100,
    longest=0.5,
    seconds=12.0,
    worker_kills=1,
    child_kills=2,
    relay_kills=1,
    broker_kills=1,
    broker_down=1.0,
    flushes=1,
    cuts=1,
    cut_off=2.0,
    database_restarts=1,
    database_down=1.0,
    enqueuer_lives=3,
    enqueuer_steps=(3, 8),
    worker_steps=(4, 7),
    relay_steps=(2, 2),
    gap=0.6,
    patience=45.0,
)
