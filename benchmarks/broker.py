"""The engine's broker transport beside Celery's own Redis transport: the same jobs, the same server, in turns.

python -m benchmarks.broker            # about fifteen minutes
python -m benchmarks.broker --quick    # fewer turns and jobs
Goals, as ratios of one run: drain of one process per slot at least 10 times Celery's prefork pool, threads at least
4 times Celery's threads, prefork at least 2 times; pick-up at most 2.2 ms; idle at most 2 commands/s.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import redis
from rich.console import Console
from rich.table import Table

from deploy.local.ports import HOST
from deploy.local.valkey import binary

ELSEWHERE = "other"  # the queue in which a million messages wait
SETTLED = 6.0  # seconds after which a worker is up, and an idle one is idle


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    turns: int  # alternating runs of each kind; medians are printed
    jobs: int  # of one drain
    enqueued: int  # jobs of one turn of enqueuing
    paced: int  # jobs of the measurement of waits
    idle_seconds: float
    elsewhere: int  # messages waiting in another queue


FULL = Size(turns=5, jobs=6_000, enqueued=3_000, paced=250, idle_seconds=20, elsewhere=1_000_000)
QUICK = Size(turns=1, jobs=2_000, enqueued=1_000, paced=100, idle_seconds=10, elsewhere=100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way to run jobs."""

    name: str
    scheme: str
    read_ahead: bool = True  # of the engine's transport
    counts: bool = True  # of the engine's transport: what becomes of each attempt
    prefetch: int = 1  # Celery's own transport is fastest with a long prefetch; the engine's claims by itself

    def url(self, port: int) -> str:
        return f"{self.scheme}://{HOST}:{port}/0"


OURS = Kind(name="ours", scheme="leased")
OURS_EACH = Kind(name="ours, no read-ahead", scheme="leased", read_ahead=False)
STOCK = Kind(name="stock", scheme="redis")
STOCK_AHEAD = Kind(name="stock, prefetch 64", scheme="redis", prefetch=64)

POOLS: dict[str, tuple[tuple[str, ...], ...]] = {  # the arguments of each worker process
    "solo x 2": (("--pool=solo",), ("--pool=solo",)),
    "threads 2": (("--pool=threads", "--concurrency=2"),),
    "prefork 2": (("--pool=prefork", "--concurrency=2"),),
}


class Server:
    """A Valkey of this benchmark's own, in memory."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._process = subprocess.Popen(
            [str(binary()), "--port", str(port), "--bind", HOST, "--save", "", "--dir", str(folder)],
            stdout=subprocess.DEVNULL,
        )
        self.client = redis.Redis(host=HOST, port=port)
        while True:
            try:
                self.client.ping()
            except redis.ConnectionError:
                time.sleep(0.05)
            else:
                return

    def close(self) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait()

    def unfinished(self) -> int:
        """Messages that wait or are in a worker's hands."""
        leased = sum(self.client.hlen(key) for key in self.client.keys("bgjobs:leases:*"))
        return int(self.client.llen("jobs")) + int(self.client.hlen("unacked")) + leased

    def commands(self) -> int:
        """Commands that clients have sent so far: what scripts call inside does not count, nor this question."""
        found = self.client.info("commandstats")
        return sum(int(found.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in SENT_BY_CLIENTS)

    def reads(self) -> int:
        """How often the server has read from clients: the round trips, pipelines counted once."""
        return int(self.client.info("stats")["total_reads_processed"])


# What neither our scripts nor Celery's transport call from within a script or a transaction.
SENT_BY_CLIENTS = ("evalsha", "script|load", "brpop", "blpop", "blmove", "publish", "exec", "psubscribe", "ping")


@contextmanager
def workers(kind: Kind, server: Server, pool: str, folder: Path, *, quiet: bool = True) -> Iterator[None]:
    """Worker processes that are up and have run some jobs. `quiet`: without Celery's broadcasts and events."""
    environment = bare_environment(kind, server) | {"BENCHMARK_WAITS": str(folder / "waits")}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "benchmarks.bare", "worker", "--loglevel=ERROR"]
            + [f"--hostname=worker{number}@%h", *arguments]
            + (["--without-mingle", "--without-gossip", "--without-heartbeat"] if quiet else []),
            env=environment,
            stdout=(folder / f"{kind.scheme}-{number}.log").open("w"),
            stderr=subprocess.STDOUT,
        )
        for number, arguments in enumerate(POOLS[pool])
    ]
    try:
        push(server, no_ops(server, kind, 100))
        wait_until_done(server, patience=30)
        time.sleep(SETTLED if not quiet else 0.5)
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def bare_environment(kind: Kind, server: Server) -> dict[str, str]:
    """For a process of benchmarks/bare.py, which is to know nothing of this project's settings."""
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return inherited | {
        "BENCHMARK_BROKER": kind.url(server.port),
        "BENCHMARK_PREFETCH": str(kind.prefetch),
        "BENCHMARK_READ_AHEAD": "yes" if kind.read_ahead else "no",
        "BENCHMARK_COUNTS": "yes" if kind.counts else "no",
        "PYTHONWARNINGS": "ignore",
    }


def push(server: Server, texts: Sequence[bytes]) -> None:
    """Enqueues messages at once, faster than any worker takes them."""
    for start in range(0, len(texts), 1000):
        server.client.lpush("jobs", *texts[start : start + 1000])


def no_ops(server: Server, kind: Kind, count: int) -> list[bytes]:
    """Messages as `noop.delay()` publishes them, which differ in their ids only."""
    template = published_text(server, kind)
    ids = re.compile(rb'(?<="id": ")[^"]+|(?<="delivery_tag": ")[^"]+|(?<="correlation_id": ")[^"]+')
    return [ids.sub(str(uuid.uuid4()).encode(), template) for _ in range(count)]


_texts: dict[str, bytes] = {}


def published_text(server: Server, kind: Kind) -> bytes:
    if kind.scheme not in _texts:
        script = "from benchmarks.bare import noop; noop.apply_async(queue='template')"
        subprocess.run([sys.executable, "-c", script], env=bare_environment(kind, server), check=True)
        (text,) = cast("list[bytes]", server.client.lrange("template", 0, 0))
        _texts[kind.scheme] = text.replace(b"template", b"jobs")
        server.client.delete("template")
    return _texts[kind.scheme]


def wait_until_done(server: Server, patience: float) -> None:
    until = time.monotonic() + patience
    while server.unfinished():
        if time.monotonic() > until:
            raise RuntimeError(f"{server.unfinished()} jobs have not ended within {patience:.0f} s")
        time.sleep(0.01)


def drain_rate(kind: Kind, server: Server, pool: str, folder: Path, jobs: int) -> tuple[float, float]:
    """Jobs a second of a backlog, and the server's reads per job."""
    with workers(kind, server, pool, folder):
        push(server, no_ops(server, kind, jobs // 4))  # so that it is known how long they take
        wait_until_done(server, patience=60)
        texts = no_ops(server, kind, jobs)
        reads, began = server.reads(), time.monotonic()
        push(server, texts)
        wait_until_done(server, patience=120)
        return jobs / (time.monotonic() - began), (server.reads() - reads) / jobs


def enqueue_rate(kind: Kind, server: Server, count: int) -> float:
    """`noop.delay()` a second, from one process."""
    script = (
        "import time; from benchmarks.bare import noop; noop.delay(); began = time.monotonic()\n"
        f"for _ in range({count}): noop.delay()\n"
        f"print({count} / (time.monotonic() - began))"
    )
    environment = bare_environment(kind, server)
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True)
    server.client.delete("jobs")
    return float(done.stdout)


def waits(kind: Kind, server: Server, folder: Path, count: int) -> tuple[float, float, float]:
    """Milliseconds from enqueuing to the start at 50 jobs a second, median and p99; the server's reads per job."""
    (folder / "waits").write_text("")
    script = (
        "import time; from benchmarks.bare import note_wait\n"
        "next_at = time.monotonic()\n"
        f"for _ in range({count}):\n"
        "    note_wait.delay(time.time()); next_at += 0.02; time.sleep(max(next_at - time.monotonic(), 0))"
    )
    environment = bare_environment(kind, server)
    with workers(kind, server, "prefork 2", folder):
        reads = server.reads()
        subprocess.run([sys.executable, "-c", script], env=environment, check=True)
        wait_until_done(server, patience=30)
        per_job = (server.reads() - reads) / count
    found = sorted(float(line) * 1000 for line in (folder / "waits").read_text().splitlines())
    assert len(found) == count, f"{count - len(found)} jobs never ran"
    return statistics.median(found), found[int(len(found) * 0.99)], per_job


def slots_used(kind: Kind, server: Server, folder: Path, jobs: int) -> float:
    """Percent of two slots' time that jobs of 30 ms keep them busy while a backlog lasts."""
    seconds = 0.03
    script = f"from benchmarks.bare import pause\nfor _ in range({jobs}): pause.delay({seconds})"
    with workers(kind, server, "prefork 2", folder):
        enqueuer = subprocess.Popen([sys.executable, "-c", script], env=bare_environment(kind, server))
        while not server.client.exists("jobs"):
            time.sleep(0.001)
        began = time.monotonic()
        enqueuer.wait()
        wait_until_done(server, patience=120)
        return 100 * jobs * seconds / 2 / (time.monotonic() - began)


def idle_commands(kind: Kind, server: Server, folder: Path, seconds: float) -> float:
    """Commands a second of a worker with nothing to do, with everything that Celery switches on by itself."""
    with workers(kind, server, "prefork 2", folder, quiet=False):
        before = server.commands()
        time.sleep(seconds)
        return (server.commands() - before) / seconds


def in_turns(kinds: Sequence[Kind], turns: int, measure: Callable[[Kind], Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {kind.name: [] for kind in kinds}
    for _ in range(turns):
        for kind in kinds:
            found[kind.name].append(measure(kind))
    return found


class Report:
    def __init__(self) -> None:
        self.console = Console(width=120)

    def show(self, title: str, unit: str, found: dict[str, list[float]]) -> dict[str, float]:
        """Prints medians and ranges; returns the medians."""
        table = Table(title=title, title_justify="left")
        for column in ("", f"median, {unit}", "lowest", "highest", "runs"):
            table.add_column(column)
        medians = {name: statistics.median(values) for name, values in found.items()}
        for name, values in found.items():
            table.add_row(
                name, *(f"{value:,.2f}" for value in (medians[name], min(values), max(values))), str(len(values))
            )
        self.console.print(table)
        return medians

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer turns and jobs")
    parser.add_argument("--turns", type=int, help="alternating runs of each kind")
    chosen = parser.parse_args()
    size = QUICK if chosen.quick else FULL
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Server(folder, free_port())
        try:
            measure(server, folder, size, chosen.turns or size.turns, Report())
        finally:
            server.close()


def measure(server: Server, folder: Path, size: Size, turns: int, report: Report) -> None:
    both = (STOCK, OURS)
    report.show("Enqueue", "jobs/s", in_turns(both, turns, lambda kind: enqueue_rate(kind, server, size.enqueued)))
    drains: dict[str, dict[str, float]] = {}
    for pool in POOLS:
        found = in_turns(
            (STOCK, STOCK_AHEAD, OURS_EACH, OURS),
            turns,
            partial(drain_rate, server=server, pool=pool, folder=folder, jobs=size.jobs),
        )
        drains[pool] = report.show(
            f"Drain, {pool}", "jobs/s", {name: [rate for rate, _ in runs] for name, runs in found.items()}
        )
        report.show(
            "  the server's reads", "per job", {name: [reads for _, reads in runs] for name, runs in found.items()}
        )
    say_ratios(report, drains)
    busy = in_turns(both, turns, partial(slots_used, server=server, folder=folder, jobs=size.paced))
    report.show("Two slots with jobs of 30 ms", "% busy", busy)
    paced = in_turns(both, turns, lambda kind: waits(kind, server, folder, size.paced))
    report.show("Wait at 50 jobs/s, median", "ms", {name: [run[0] for run in runs] for name, runs in paced.items()})
    report.show("Wait at 50 jobs/s, p99", "ms", {name: [run[1] for run in runs] for name, runs in paced.items()})
    report.show("Reads at 50 jobs/s", "per job", {name: [run[2] for run in runs] for name, runs in paced.items()})
    report.show(
        "Idle worker",
        "commands/s",
        in_turns(both, 1, lambda kind: idle_commands(kind, server, folder, size.idle_seconds)),
    )
    with_others(server, folder, size, turns, report)


def with_others(server: Server, folder: Path, size: Size, turns: int, report: Report) -> None:
    for start in range(0, size.elsewhere, 10_000):
        server.client.lpush(ELSEWHERE, *(f'{{"waits": {number}}}' for number in range(start, start + 10_000)))
    report.say(f"With {server.client.llen(ELSEWHERE):,} messages waiting in another queue:")
    for pool in POOLS:
        found = in_turns((OURS,), turns, partial(drain_rate, server=server, pool=pool, folder=folder, jobs=size.jobs))
        report.show(f"Drain, {pool}", "jobs/s", {name: [rate for rate, _ in runs] for name, runs in found.items()})
    found = in_turns((OURS,), turns, lambda _: waits(OURS, server, folder, size.paced)[0])
    report.show("Wait at 50 jobs/s, median", "ms", found)


def say_ratios(report: Report, drains: dict[str, dict[str, float]]) -> None:
    """Against Celery in its best configuration of the pool, in this very run."""
    best = {pool: max(rates[STOCK.name], rates[STOCK_AHEAD.name]) for pool, rates in drains.items()}
    for pool, against, goal in (
        ("solo x 2", "prefork 2", 10),
        ("threads 2", "threads 2", 4),
        ("prefork 2", "prefork 2", 2),
    ):
        ratio = drains[pool][OURS.name] / best[against]
        report.say(f"ours, {pool}, is {ratio:.1f} times stock's best of {against} (goal {goal})")


def free_port() -> int:
    import socket

    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
