"""What the numbers and the history of runs take of the broker's memory, at most and when it is busy.

Of each hash so many as are kept at once, of a busy installation and as large as they may grow; and the stream of
ended attempts while nobody archives it.
python -m benchmarks.memory
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from apps.core.metrics.events import RUNS_KEPT, RUNS_TOGETHER, field

from .broker import Server, free_port
from .runs import note

PORTION = 500  # hashes of which the mean is taken
# Hash: how many are kept at once, fields of one with 60 busy tasks, and fields that it takes in at most.
HASHES = {"m": (73 * 60, 600, 1_000), "h": (74, 960, 5_000), "d": (91, 1_200, 20_000), "total": (1, 1_200, 20_000)}
MIB = 2**20


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), free_port())
        try:
            for name, of_one in {"60 tasks busy in every minute": 1, "all as large as they may grow": 2}.items():
                taken = {unit: kept[0] * mean(server, kept[of_one]) for unit, kept in HASHES.items()}
                each = ", ".join(f"{unit} {size:.0f}" for unit, size in taken.items())
                print(f"{name:<40}{sum(taken.values()):>6.0f} MiB   ({each})", flush=True)
            one, full = (stream(server, together) for together in (1, RUNS_TOGETHER))
            print(f"{f'{RUNS_KEPT:,} entries to archive':<40}{one:>6.0f} to {full:.0f} MiB")
        finally:
            server.close()


def mean(server: Server, fields: int) -> float:
    """MiB of a hash with so many fields."""
    counts = {
        field("wait_le", "email", str(place % 16), f"task_{place // 16}"): 1000 + place for place in range(fields)
    }
    made = min(PORTION, 1_000_000 // fields)
    return grown(server, ((f"hash:{number}", counts) for number in range(made))) / made


def grown(server: Server, hashes: Iterable[tuple[str, dict[Any, Any]]]) -> float:
    before = used(server)
    for name, counts in hashes:
        server.client.hset(name, mapping=counts)
    found = used(server) - before
    empty(server)
    return found


def stream(server: Server, together: int) -> float:
    before = used(server)
    for first in range(0, RUNS_KEPT, 1_000):
        pipeline = server.client.pipeline(transaction=False)
        for number in range(first, first + 1_000):
            notes: dict[Any, Any] = {f"{number}-{place}": note(number) for place in range(together)}
            pipeline.xadd("runs", {"o": "host:1:abc", **notes})
        pipeline.execute()
    found = used(server) - before
    empty(server)
    return found


def empty(server: Server) -> None:
    """Not in the background: what follows is measured."""
    server.client.config_set("lazyfree-lazy-user-flush", "no")
    server.client.flushall()


def used(server: Server) -> float:
    return int(server.client.info("memory")["used_memory"]) / MIB


if __name__ == "__main__":
    main()
