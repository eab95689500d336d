"""What a run is made of: how many jobs, and which blows fall, at moments drawn from a seed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import TypeVar

STOCK_GIVES_BACK_AFTER = 20  # seconds; kombu's default is an hour, and no run could wait for that
QUEUES = ("critical", "high_priority", "reports", "maintenance")
Kind = TypeVar("Kind", bound=StrEnum)  # of blow


class Blow(StrEnum):
    KILL_WORKER = "kill -9 of a worker with its children"
    KILL_CHILD = "kill -9 of a prefork child"
    KILL_SERVER = "kill -9 of the server"
    DROP_CONNECTIONS = "CLIENT KILL of all connections"
    FILL_MEMORY = "maxmemory below what is used"
    STOP_WORKER = "SIGSTOP of a worker with its children"


TAKES_SERVER_AWAY = (Blow.KILL_SERVER, Blow.FILL_MEMORY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Durations are seconds. The jobs are enqueued, and the blows fall, in the course of `seconds`."""

    jobs: int = 1000
    shortest: float = 0.05
    longest: float = 2.0
    seconds: float = 200.0
    worker_kills: int = 30  # of which each hits a main process or a child, at random
    server_kills: int = 5
    server_down: float = 2.0
    dropped_connections: int = 10
    memory_episodes: int = 1
    memory_full: float = 10.0
    stops: int = 1
    stopped: float = 3.0
    # Between the end of a blow and the next one. So nobody is killed while the server is away: a job that ends then
    # and dies with its process before the server is back has told nobody, and no broker could know.
    gap: float = 1.0
    patience: float = 90.0  # after the last blow, for all that has been enqueued to end

    def blows(self, seed: int) -> list[tuple[float, Blow]]:
        """The blows in their order, each with its moment, counted from the beginning of the run."""
        chance = Random(seed)
        kills = [chance.choice((Blow.KILL_WORKER, Blow.KILL_CHILD)) for _ in range(self.worker_kills)]
        blows = [
            *kills,
            *[Blow.KILL_SERVER] * self.server_kills,
            *[Blow.DROP_CONNECTIONS] * self.dropped_connections,
            *[Blow.FILL_MEMORY] * self.memory_episodes,
            *[Blow.STOP_WORKER] * self.stops,
        ]
        return spread(chance, blows, self.lasts, self.gap, self.seconds)

    def lasts(self, blow: Blow) -> float:
        durations = {
            Blow.KILL_SERVER: self.server_down,
            Blow.FILL_MEMORY: self.memory_full,
            Blow.STOP_WORKER: self.stopped,
        }
        return durations.get(blow, 0.0)

    def job_seconds(self, seed: int) -> list[float]:
        """How long each job runs."""
        chance = Random(seed)
        return [chance.uniform(self.shortest, self.longest) for _ in range(self.jobs)]


def spread(
    chance: Random, blows: Iterable[Kind], lasts: Callable[[Kind], float], gap: float, seconds: float
) -> list[tuple[float, Kind]]:
    """The blows in an order of chance, each with its moment: between two there is time for the first and the gap."""
    order = list(blows)
    chance.shuffle(order)
    spare = seconds - sum(lasts(blow) + gap for blow in order)
    if spare < 0:
        raise ValueError("there are more blows than fit into the run")
    planned, taken = [], 0.0
    for moment, blow in zip(sorted(chance.uniform(0, spare) for _ in order), order, strict=True):
        planned.append((moment + taken, blow))
        taken += lasts(blow) + gap
    return planned


SHORT = Scenario(
    jobs=240,
    seconds=40.0,
    worker_kills=8,
    server_kills=1,
    dropped_connections=2,
    memory_full=3.0,
    patience=60.0,
)
