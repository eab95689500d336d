"""The history of runs with 1,000,000 rows: how long a page of each kind of search takes, and how fast rows come in.

Goals: every search under 300 ms, the troubles under 100 ms; at least 5,000 rows archived a second; the numbers
of 72 hours, with 60 tasks busy in every minute, under 25 ms.
python -m benchmarks.runs
"""

import json
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.local import Stack

ROWS, TURNS, ARCHIVED, BUSY_TASKS = 1_000_000, 15, 20_000, 60
FILL = """
INSERT INTO bgjobs_jobrun (key, job, task, queue, event, reason, error, error_text, fingerprint, attempt, worker, pid,
    ready_at, started_at, ended_at, wait_seconds, run_seconds, args, kwargs, terms, tenant, "user", correlation,
    entry, firing, idempotency_key, parent, root, duplicate_of)
SELECT 'host:1:abc ' || n, md5(n::text)::uuid, 'task_' || floor(40 * power(random(), 2)),
    (ARRAY['email','email','email','high_priority','critical','reports','external_api','maintenance'])[1 + n %% 8],
    CASE WHEN chance < 0.007 THEN 'failed' WHEN chance < 0.01 THEN 'retried' ELSE 'succeeded' END,
    CASE WHEN chance < 0.01 THEN 'transient' ELSE '' END,
    CASE WHEN chance < 0.01 THEN (ARRAY['TimeoutError','ValueError','ConnectionError'])[1 + n %% 3] ELSE '' END,
    CASE WHEN chance < 0.01 THEN 'the other side said no to number ' || n ELSE '' END,
    CASE WHEN chance < 0.01 THEN left(md5((n %% 60)::text), 16) ELSE '' END,
    1, 'email@host' || n %% 4, 1000 + n %% 40, at - interval '1 s', at - interval '0.5 s', at, 0.5, 0.5,
    format('(%%s, ''visit'')', n / 3), format('{''site'': %%s}', n %% 500),
    ARRAY[(n / 3)::text, 'visit', 'site', (n %% 500)::text], floor(200 * power(random(), 3))::text, (n %% 900)::text,
    md5(n::text), '', '', CASE WHEN n %% 4 = 0 THEN 'task:global:' || n ELSE '' END, '', '', ''
FROM (
    SELECT n, random() AS chance, now() - (%(rows)s - n) * interval '30 days' / %(rows)s AS at
    FROM generate_series(%(begin)s, %(end)s) AS n
) AS one
"""
# What is gone by now, but was not rare: the planner expects it among the newest.
OLD = """
UPDATE bgjobs_jobrun SET terms = terms || ARRAY['closed_site'], tenant = 'gone', task = 'old_task'
WHERE id IN (SELECT id FROM bgjobs_jobrun ORDER BY ended_at LIMIT 10000)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.start_servers()
        os.environ |= stack.environment | {"DJANGO_SETTINGS_MODULE": "intelliwiz_config.settings.development"}
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", "bgjobs", verbosity=0)
        show("archived", archive())
        for name, milliseconds in numbers().items():
            show(name, milliseconds)
        fill()
        for name, texts in searches().items():
            show(name, [taken(lambda text=text: search(text)) for text in texts for _ in range(TURNS)])  # type: ignore[misc]
        show("count of all", [taken(count_all) for _ in range(TURNS)])
        show("failures by fingerprint", [taken(failures) for _ in range(TURNS)])
        stack.discard()


def show(name: str, milliseconds: "list[float] | str") -> None:
    if isinstance(milliseconds, str):
        print(f"{name:<44}{milliseconds}")
        return
    ordered = sorted(milliseconds)
    p50, p95 = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
    print(f"{name:<44}p50 {p50:>7.1f} ms   p95 {p95:>7.1f} ms", flush=True)


def taken(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return (time.perf_counter() - began) * 1000


def fill() -> None:
    from django.db import connection

    portion, began = 100_000, time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE bgjobs_jobrun")
        for begin in range(1, ROWS + 1, portion):
            cursor.execute(FILL, {"rows": ROWS, "begin": begin, "end": begin + portion - 1})
        cursor.execute(OLD)
        cursor.execute("VACUUM ANALYZE bgjobs_jobrun")
        cursor.execute(
            "SELECT pg_size_pretty(pg_table_size('bgjobs_jobrun')), pg_size_pretty(pg_indexes_size('bgjobs_jobrun'))"
        )
        table, indexes = cursor.fetchone()
    show("filled", f"{ROWS:,} rows in {time.perf_counter() - began:.0f} s: table {table}, indexes {indexes}")


def searches() -> dict[str, list[str]]:
    """Of each kind, what is found often, seldom and never."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT job, idempotency_key FROM bgjobs_jobrun WHERE idempotency_key <> '' LIMIT 1 OFFSET 70000"
        )
        job, key = cursor.fetchone()
    return {
        "all": [""],
        "task": ["task:task_0", "task:task_39", "task:none"],
        "state": ["state:succeeded", "state:failed", "state:lost", "state:failed state:retried"],
        "queue": ["queue:email", "queue:ml_training"],
        "error": ["error:timeout", "error:ValueError", "error:nothing", 'error:"number 4711"'],
        "argument": ["4711", "visit", "site", "arg:17 arg:site", "nothing", "123456"],
        "tenant": ["tenant:0", "tenant:199", "tenant:none"],
        "job, key": [job, f"key:{key}", str(uuid.uuid4())],
        "time": ["since:2h", "until:20d", "since:3d until:2d", "until:29d"],
        "task and state": ["task:task_0 state:failed", "task:task_39 state:retried", "task:task_7 state:lost"],
        "task and argument": ["task:task_0 4711", "task:task_39 visit", "task:task_39 17", "task:task_0 nothing"],
        "task and time": ["task:task_5 since:2h", "task:task_39 until:20d", "task:task_0 since:3d until:2d"],
        "argument and time": ["17 until:20d", "4711 since:2h", "visit until:25d", "17 since:20d until:19d"],
        "tenant, task, state, time": [
            "tenant:3 task:task_4 state:failed since:10d",
            "tenant:150 task:task_30 state:succeeded until:10d",
        ],
        "tenant and argument": ["tenant:0 17", "tenant:199 visit", "tenant:0 123456"],
        "only in old runs": [
            "closed_site",
            "queue:email closed_site",
            "task:old_task tenant:gone",
            "tenant:0 closed_site",
        ],
        "error, queue, time": ["error:timeout queue:email since:1d", "error:valueerror queue:reports until:25d"],
    }


def search(text: str) -> None:
    from apps.core.runs.query import RunQuery
    from apps.core.runs.search import search as look

    page = look(RunQuery.parse(text))
    assert page.bound is None, text


def count_all() -> object:
    from apps.core.runs.query import RunQuery
    from apps.core.runs.search import count

    return count(RunQuery())


def failures() -> object:
    from apps.core.runs.failures import groups

    found = groups()
    assert len(found) == 50
    return found


def archive() -> str:
    from apps.core.broker.configured import configured_store
    from apps.core.metrics.events import RUNS_TOGETHER
    from apps.core.runs.archive import Archiver

    store = configured_store()
    pipeline = store.client.pipeline(transaction=False)
    for first in range(0, ARCHIVED, RUNS_TOGETHER):
        notes: dict[Any, Any] = {f"{number}-0": note(number) for number in range(first, first + RUNS_TOGETHER)}
        pipeline.xadd(store.key("runs"), {"o": "host:1:abc", **notes})
    pipeline.execute()
    archiver, began = Archiver(store), time.perf_counter()
    while archiver.work():
        pass
    return f"{ARCHIVED / (time.perf_counter() - began):,.0f} runs a second"


def note(number: int) -> str:
    facts = {
        "job": str(uuid.uuid4()),
        "ready_at": time.time(),
        "started_at": time.time(),
        "ended_at": time.time(),
        "worker": "email@host",
        "pid": 4711,
        "args": f"({number}, 'visit')",
        "kwargs": f"{{'site': {number % 500}}}",
        "tenant": str(number % 200),
        "user": str(number % 900),
        "correlation": str(uuid.uuid4()),
        "key": f"task:global:{number}",
    }
    return f"succeeded - email 0 0 claimed 0 task_{number % 40}\n1200 35000 300\n{json.dumps(facts)}"


def numbers() -> dict[str, list[float]]:
    """Reads at all times of a day. Each minute has 10 fields for each task, each hour 16 and each day 20."""
    from apps.core.broker.configured import configured_store
    from apps.core.metrics.reader import Window, read

    store: Any = configured_store()
    now = datetime.now(UTC).replace(second=30)
    for unit, size, count, fields in (("m", 60, 98 * 60, 10), ("h", 3600, 98, 16), ("d", 86400, 6, 20)):
        pipeline = store.client.pipeline(transaction=False)
        current = int(now.timestamp()) // size
        for place in range(current - count + 1, current + 1):
            pipeline.hset(store.key("counts", unit, str(place)), mapping=busy(fields))
            pipeline.expire(store.key("counts", unit, str(place)), 3600 + place % 1000)
        pipeline.execute()
    moments = [now - timedelta(minutes=minutes) for minutes in range(1440, 0, -37)]
    return {
        f"numbers of {window}": [taken(lambda at=at, window=window: read(store, window, now=at)) for at in moments]  # type: ignore[misc]
        for window in (Window.M5, Window.H1, Window.H24, Window.H72)
    }


def busy(fields: int) -> dict[str, int]:
    from apps.core.metrics.events import field

    names = ["published", "started", "succeeded", "wait_us", "run_us", *["wait_le", "run_le"] * 8][:fields]
    return {
        field(name, "email", str(place) if name.endswith("_le") else "-", f"task_{task}"): 1000 + task
        for task in range(BUSY_TASKS)
        for place, name in enumerate(names)
    }


if __name__ == "__main__":
    main()
