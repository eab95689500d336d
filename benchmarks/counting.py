"""What counting costs: the same jobs with and without the numbers and the history of runs, in turns.

python -m benchmarks.counting            # about six minutes
python -m benchmarks.counting --quick    # fewer turns and jobs
Jobs of the engine's own classes, which do nothing, in workers as a project runs them. The ratio of processor time, of
worker and server together, hardly depends on what else the machine does; that of throughput does.
Goal: at most 5 % of the throughput.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from deploy.local import Stack

POOLS: Final = {
    "solo": ("--pool=solo",),
    "threads 4": ("--pool=threads", "--concurrency=4"),
    "prefork 2": ("--pool=prefork", "--concurrency=2"),
}
WAYS: Final = {"without": "no", "with": "yes"}  # BENCHMARK_COUNTS
WARM: Final = 300  # jobs before it is measured
PATIENCE: Final = 120.0  # seconds for a backlog


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """One backlog, drained."""

    rate: float  # jobs a second
    processor: float  # microseconds a job, of worker and server


class Bench:
    """A started stack, whose environment is this process's."""

    def __init__(self) -> None:
        import django

        django.setup()
        from apps.core.broker.configured import configured_store
        from apps.core.redis_client import connect
        from intelliwiz_config.celery import app

        from . import counted_jobs

        self.app, self.jobs = app, counted_jobs
        self.client = connect(os.environ["BROKER_URL"])
        self._store = configured_store()
        self._server = int(self.client.info("server")["process_id"])
        self._number = 0

    def drain(self, task: Any, way: str, pool: tuple[str, ...], jobs: int) -> Drain:
        with self._worker(way, pool) as worker:
            self._enqueue(task, WARM)
            self._wait()
            self._store.pause(self.jobs.QUEUE, seconds=0, why="benchmark: enqueuing takes processor time, too")
            self._enqueue(task, jobs)
            used, began = self._processor(worker), time.monotonic()
            self._store.resume(self.jobs.QUEUE)
            self._wait()
            seconds, used = time.monotonic() - began, self._processor(worker) - used
        return Drain(rate=jobs / seconds, processor=1e6 * used / jobs)

    def _enqueue(self, task: Any, count: int) -> None:
        """Each with a number of its own: those that are done once are done."""
        first, self._number = self._number, self._number + count
        self.app.enqueue_many(task.s(number) for number in range(first, self._number))

    @contextmanager
    def _worker(self, way: str, pool: tuple[str, ...]) -> Iterator[psutil.Process]:
        command = (sys.executable, "-m", "celery", "--quiet", "-A", "intelliwiz_config", "worker")
        options = ("--include=benchmarks.counted_jobs", f"--queues={self.jobs.QUEUE}", "--loglevel=info")
        environment = os.environ | {"BENCHMARK_COUNTS": WAYS[way]}
        process = subprocess.Popen(
            [*command, *options, "--without-mingle", *pool],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()

    def _processor(self, worker: psutil.Process) -> float:
        """Seconds so far of the worker, its children and the server."""
        those = [worker, *worker.children(recursive=True), psutil.Process(self._server)]
        return sum(one.cpu_times().user + one.cpu_times().system for one in those)

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while self.client.llen(self.jobs.QUEUE) or any(map(self.client.hlen, self.client.keys("bgjobs:leases:*"))):
            if time.monotonic() > until:
                raise RuntimeError(f"the backlog was not drained in {PATIENCE:.0f} s")
            time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer turns and jobs")
    chosen = parser.parse_args()
    turns, jobs = (3, 2_000) if chosen.quick else (7, 4_000)
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.start_servers()
        os.environ |= stack.environment
        bench = Bench()
        for task in (bench.jobs.nothing, bench.jobs.once):
            for name, pool in POOLS.items():
                found: dict[str, list[Drain]] = {way: [] for way in WAYS}
                for _ in range(turns):
                    for way, drains in found.items():
                        drains.append(bench.drain(task, way, pool, jobs))
                show(f"{task.__name__}, {name}", found)
        stack.discard()


def show(title: str, found: dict[str, list[Drain]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in ("", "jobs/s, median", "processor a job, median"):
        table.add_column(column, justify="right")
    for way, drains in found.items():
        rate = statistics.median(one.rate for one in drains)
        processor = statistics.median(one.processor for one in drains)
        table.add_row(way, f"{rate:,.0f}", f"{processor:,.1f} µs")
    pairs = list(zip(found["without"], found["with"], strict=True))
    rates = statistics.median(counted.rate / plain.rate for plain, counted in pairs)
    processors = statistics.median(plain.processor / counted.processor for plain, counted in pairs)
    console = Console(width=100)
    console.print(table)
    console.print(f"  counted: {rates:.1%} of the throughput, {processors:.1%} by processor time\n", highlight=False)


if __name__ == "__main__":
    main()
