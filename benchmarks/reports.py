"""Memory and time of a report of 50,000 rows in each format, each in a process of its own.

python -m benchmarks.reports                  # every format
python -m benchmarks.reports --rows 200000 --format PDF
Goal: the whole process under 300 MiB. "Idle" is the same process once it has written an empty report.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

FORMATS: Final = ("PDF", "XLSX", "CSV", "HTML", "JSON")
GOAL: Final = 300.0  # MiB
SITES: Final = ("Łódź Fabryczna", "Müller & Söhne GmbH, Werk 2", "Mumbai Airport T2", "Αθήνα Κέντρο", "Москва-Сити")
SAID: Final = "Lift 3 stopped between two floors; people freed by the technician, door lock replaced and tested"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--format", choices=FORMATS, action="append", help="Default: all.")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(*measure(options.format[0], options.rows))
        return
    table = Table(title=f"A report of {options.rows:,} rows")
    for heading in ("format", "idle", "peak", "more", "processor time", "elapsed", "file"):
        table.add_column(heading, justify="left" if heading == "format" else "right")
    over = []
    for name in options.format or FORMATS:
        idle, peak, busy, elapsed, size = in_a_process(name, options.rows)
        mebibytes = (f"{value:.0f} MiB" for value in (idle, peak, peak - idle))
        table.add_row(name, *mebibytes, f"{busy:.1f} s", f"{elapsed:.1f} s", f"{size:.1f} MiB")
        over += [name] if peak >= GOAL else []
    Console().print(table)
    if over:
        sys.exit(f"Over {GOAL:.0f} MiB: {', '.join(over)}")


def in_a_process(name: str, rows: int) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.reports", "--alone", "--format", name, "--rows", str(rows)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [float(number) for number in done.stdout.split()]


def measure(name: str, rows: int) -> tuple[float, float, float, float, float]:
    """Idle and peak memory in MiB, processor and elapsed seconds, and the file's MiB."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intelliwiz_config.settings.test")
    import django

    django.setup()
    from apps.reports.rendering import render

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report"
        render(content(0), name, path)
        idle = peak_memory()
        elapsed, busy = time.perf_counter(), time.process_time()
        render(content(rows), name, path, progress=lambda done, total: None)
        elapsed, busy = time.perf_counter() - elapsed, time.process_time() - busy
        return idle, peak_memory(), busy, elapsed, path.stat().st_size / 2**20


def peak_memory() -> float:
    """The most that this process has had in memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def content(rows: int) -> Any:
    from apps.reports.content import Chart, Column, Content

    return Content(
        title="Tickets of all sites, weekly",
        type_name="Ticket SLA",
        facts=(("Window", "Mon 16 Nov 2026 00:00 to Mon 23 Nov 2026 00:00 (Asia/Kolkata)"), ("Site", "All sites")),
        zone=ZoneInfo("Asia/Kolkata"),
        columns=(
            Column(heading="Ticket"),
            Column(heading="Site"),
            Column(heading="Priority"),
            Column(heading="What happened"),
            Column(heading="Raised", kind="moment"),
            Column(heading="Time to resolve", kind="minutes"),
            Column(heading="Share", kind="percent"),
            Column(heading="Cost", kind="decimal"),
            Column(heading="Status"),
        ),
        row_count=rows,
        rows=lambda: tickets(rows),
        chart=Chart(
            title="Tickets by priority",
            labels=("CRITICAL", "HIGH", "MEDIUM", "LOW"),
            series=(("In time", (12, 30, 44, 20)), ("Late", (3, 5, 2, 0))),
        ),
        totals=(("Tickets", f"{rows:,}"), ("In time", "81.7 %")),
    )


def tickets(rows: int) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(7)
    first = datetime(2026, 11, 1, tzinfo=UTC)
    for number in range(rows):
        yield (
            f"T-{number + 1:06}",
            chance.choice(SITES),
            chance.choice(("CRITICAL", "HIGH", "MEDIUM", "LOW")),
            SAID[: chance.randint(10, len(SAID))],
            first + timedelta(minutes=37 * number),
            chance.choice((None, chance.randint(3, 4_000))),
            chance.random(),
            Decimal(chance.randint(-9_999, 999_999)) / 100,
            chance.choice(("OPEN", "RESOLVED", "CLOSED")),
        )


if __name__ == "__main__":
    main()
