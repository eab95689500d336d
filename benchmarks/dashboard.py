"""Every page of the dashboard, the API and /metrics over a large installation: how long each takes.

1,000,000 jobs wait, 1,000,000 runs are recorded, 60 tasks are busy in every minute of 72 hours, 10,000 dead letters.
Goals at p95: every page under 100 ms, a search under 300 ms, when it is the only one that looks at the servers; what
others share with it for a second costs less. Django's test client, so without the web server's own part.
python -m benchmarks.dashboard            # three minutes, 4 GB of memory
python -m benchmarks.dashboard --profile overview
"""

import argparse
import cProfile
import os
import pstats
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from deploy.local import Stack

from . import dashboard_stock as stock

TURNS: Final = 40
PAGE, SEARCH = 100.0, 300.0  # goals in milliseconds
BASE: Final = "/admin/monitoring/celery/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    name: str
    path: str
    query: dict[str, str]
    goal: float = PAGE
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    first: float  # milliseconds
    p50: float
    p95: float
    own: float  # p50 of this process's processor time
    shared: float  # p50 where another one has looked within a second
    statements: int
    round_trips: int
    kilobytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", metavar="NAME", help="say where the time goes of what is called so")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder), durable=False) as stack:
        stack.start_servers()
        os.environ |= stack.environment | {
            "DJANGO_SETTINGS_MODULE": "intelliwiz_config.settings.development",
            "METRICS_ALLOWED_NETWORKS": "127.0.0.0/8",
            "ALLOWED_HOSTS": "testserver",
            "LOG_LEVEL": "ERROR",
        }
        from django.core.management import call_command

        import intelliwiz_config.wsgi  # noqa: F401 - as web servers load it

        call_command("migrate", verbosity=0)
        make()
        client, found = visitor(), addresses()
        if chosen.profile:
            profile(client, next(one for one in found if one.name == chosen.profile))
        else:
            show([(one, measured(client, one)) for one in found])
        stack.discard()


def make() -> None:
    from apps.core.broker.configured import configured_store

    store = configured_store()
    store.client.config_set("maxmemory", 0)
    for said in stock.steps(store):
        print(said, flush=True)


def visitor() -> Any:
    """Somebody who may do everything: whose pages have the most on them."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.create_superuser("ann"))
    return client


def addresses() -> list[Address]:
    from apps.core.models import JobRun

    finished = JobRun.objects.filter(event="succeeded").order_by("-ended_at")[1000].job
    deep = stock.job_number(stock.PORTION * 7 * (stock.DEEP // stock.PORTION) + stock.DEEP % stock.PORTION)

    def at(name: str, path: str, /, **query: str) -> Address:
        return Address(name=name, path=BASE + path, query=query)

    def searched(text: str) -> Address:
        return Address(name=f"runs {text}".strip(), path=f"{BASE}runs/", query={"q": text}, goal=SEARCH)

    return [
        at("overview", ""),
        *(at(f"api/metrics {window}", "api/metrics/", window=window) for window in ("5m", "1h", "24h", "72h")),
        Address(name="api/health", path=f"{BASE}api/health/", query={}, status=503),
        Address(name="/metrics", path="/metrics", query={}),
        at("queue", "queues/email/"),
        at("queue 72h", "queues/email/", window="72h"),
        at("runs", "runs/"),
        *map(
            searched,
            (
                "task:task_0",
                "task:none",
                "state:failed",
                "error:timeout",
                "4711",
                "visit",
                "closed_site",
                "tenant:199 visit",
                "task:task_39 state:retried since:10d",
                "error:timeout queue:email until:20d",
            ),
        ),
        at("run, deep in its queue", f"runs/{deep}/"),
        at("run, finished", f"runs/{finished}/"),
        at("run, given up", f"runs/{stock.job_number(10_000_001)}/"),
        Address(name="run, unknown", path=f"{BASE}runs/{uuid.uuid4()}/", query={}, status=404),
        at("failures", "failures/"),
        at("schedules", "schedules/"),
        at("workers", "workers/"),
        at("idempotency", "idempotency/", key="task:global:4711"),
        at("audit", "audit/"),
    ]


def measured(client: Any, one: Address) -> Taken:
    first = ask(client, one)
    alone, own = [], []
    for _ in range(TURNS):
        forget()
        began = time.process_time()
        alone.append(ask(client, one))
        own.append((time.process_time() - began) * 1000)
    shared = [ask(client, one) for _ in range(TURNS)]
    with counted() as (statements, round_trips):
        forget()
        ask(client, one)
    ordered = sorted(alone)
    return Taken(
        first=first,
        p50=statistics.median(ordered),
        p95=ordered[int(TURNS * 0.95)],
        own=statistics.median(own),
        shared=statistics.median(shared),
        statements=len(statements),
        round_trips=len(round_trips),
        kilobytes=len(client.get(one.path, one.query).content) / 1024,
    )


def ask(client: Any, one: Address) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    response = client.get(one.path, one.query)
    taken = (time.perf_counter() - began) * 1000
    assert response.status_code == one.status, (one, response.status_code)
    return taken


def forget() -> None:
    """What others have looked at within this second: the next one looks itself."""
    from apps.monitoring import broker_trouble, looking

    looking.forget()
    broker_trouble.forget()


@contextmanager
def counted() -> Iterator[tuple[Any, list[None]]]:
    """SQL statements, and what was sent to Valkey: a pipeline counts once."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from redis.connection import AbstractConnection

    sent: list[None] = []
    real: Any = AbstractConnection.send_packed_command

    def note(*args: Any, **kwargs: Any) -> Any:
        sent.append(None)
        return real(*args, **kwargs)

    AbstractConnection.send_packed_command = note  # type: ignore[method-assign]
    try:
        with CaptureQueriesContext(connection) as statements:
            yield statements, sent
    finally:
        AbstractConnection.send_packed_command = real  # type: ignore[method-assign]


def show(found: list[tuple[Address, Taken]]) -> None:
    table = Table(title=f"Milliseconds of {TURNS} requests each", title_justify="left")
    for column in ("", "first", "p50", "p95", "goal", "own p50", "shared p50", "SQL", "Valkey", "kB"):
        table.add_column(column, justify="left" if not column else "right")
    for one, taken in found:
        missed = taken.p95 >= one.goal
        table.add_row(
            one.name,
            f"{taken.first:.0f}",
            f"{taken.p50:.1f}",
            f"{'[red]' if missed else ''}{taken.p95:.1f}{' MISSED[/]' if missed else ''}",
            f"{one.goal:.0f}",
            f"{taken.own:.1f}",
            f"{taken.shared:.1f}",
            str(taken.statements),
            str(taken.round_trips),
            f"{taken.kilobytes:.0f}",
        )
    Console(width=140).print(table)


def profile(client: Any, one: Address) -> None:
    ask(client, one)
    watch = cProfile.Profile()
    for _ in range(TURNS):
        forget()
        watch.enable()
        ask(client, one)
        watch.disable()
    stats = pstats.Stats(watch)
    for order in ("cumulative", "tottime"):
        stats.sort_stats(order).print_stats(45)


if __name__ == "__main__":
    main()
