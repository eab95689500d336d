"""The broker is down for half a minute while 500 requests enqueue: what it costs them, and what becomes of the jobs.

python -m tests.chaos.broker_down [--seconds 30] [--requests 500]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.local import Stack, commands, database
from deploy.local.command import Command
from deploy.local.output import Terminal
from deploy.local.state import prepare

from . import journal
from .servers import Server

EXTRA = 0.5  # seconds that a request may take longer than it did with the broker up
THREADS = 8
PATIENCE = 120.0  # seconds for all jobs to have run


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=30.0)
    options.add_argument("--requests", type=int, default=500)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, Stack(prepare(Path(folder) / "stack"), durable=False) as stack:
        try:
            return run(stack, Path(folder), chosen.seconds, chosen.requests)
        finally:
            stack.discard()


def run(stack: Stack, folder: Path, seconds: float, requests: int) -> int:
    stack.start_servers()
    broker = Server(prepare(folder / "broker"), stack.supervisor, name="broker")
    environment = {**stack.environment, "BROKER_URL": broker.url("leased"), journal.PLACE: str(folder / "journal")}
    os.environ |= environment
    broker.start()
    database.make_ready(stack.state_dir, Terminal(None))
    import django

    django.setup()
    usual = enqueue(range(requests), seconds=2.0)
    stack.start(commands.relay(environment), worker(environment))
    broker.stop()
    down = enqueue(range(requests, 2 * requests), seconds=seconds)
    broker.start()
    ran = wait_for_all(folder / "journal", 2 * requests)
    extra = max(down) - statistics.median(usual)
    say(f"{requests} requests in {seconds:.0f} s without a broker: the slowest took {extra:.3f} s longer than usual")
    say(
        f"median {statistics.median(down) * 1000:.1f} ms; with the broker up {statistics.median(usual) * 1000:.1f} ms"
    )
    say(f"jobs enqueued {4 * requests}, ended {len(ran)}, ended twice {len(ran) - len(set(ran))}")
    return 0 if extra <= EXTRA and sorted(ran) == list(range(4 * requests)) else 1


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def enqueue(numbers: Sequence[int], *, seconds: float) -> list[float]:
    """Requests at an even rate, each with a job in a transaction and one outside. Returns the seconds each took."""
    from django.db import connection, transaction

    from .jobs import job

    began = time.monotonic()

    def request(number: int) -> float:
        time.sleep(max(began + (number - numbers[0]) / len(numbers) * seconds - time.monotonic(), 0.0))
        started = time.monotonic()
        with transaction.atomic():
            job.delay(2 * number, 0.0)
        job.delay(2 * number + 1, 0.0)
        return time.monotonic() - started

    with ThreadPoolExecutor(THREADS) as threads:
        took = list(threads.map(request, numbers))
        list(threads.map(lambda _: connection.close(), range(THREADS)))
    return took


def wait_for_all(path: Path, requests: int) -> list[int]:
    """The numbers of the jobs that have ended, when all have, or when patience is over."""
    until = time.monotonic() + PATIENCE
    while True:
        ended = [line.number for line in journal.read(path) if line.deed == "end"]
        if len(ended) >= 2 * requests or time.monotonic() > until:
            return ended
        time.sleep(0.2)


def worker(environment: dict[str, str]) -> Command:
    arguments = (
        *commands.CELERY,
        "worker",
        "--include=tests.chaos.jobs",
        "-Q",
        "maintenance",
        "-P",
        "threads",
        "-c",
        "4",
    )
    return Command(name="worker", arguments=arguments, environment=environment)


if __name__ == "__main__":
    sys.exit(main())
