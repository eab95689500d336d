"""How long the proof of a timetable takes, beside walking through a single year of it.

python -m benchmarks.timetable
"""

import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from celery.schedules import crontab

from apps.core.schedules import every
from apps.core.schedules.entry import understood
from apps.core.schedules.firings import Schedule
from apps.core.schedules.pattern_of import pattern_of
from apps.core.schedules.patterns import next_due
from apps.core.schedules.rules import judge
from apps.core.schedules.timetable import Line, TaskFacts, Timetable

ENTRIES: Final = 1000
RUNS: Final = 5
YEAR: Final = 365 * 1440  # minutes
AT: Final = datetime(2026, 11, 25, 12, tzinfo=UTC)
TASK: Final = TaskFacts(name="t", queue="maintenance", time_limit=60, idempotent=True)

chance = random.Random(6)


def one_a_minute(number: int) -> Schedule:
    return understood(f"{number % 60} {number // 60} * * *")


def at_random(number: int) -> Schedule:
    days = chance.choice(["* * *", "* * 1-5", f"{chance.randrange(1, 29)} * *", f"{chance.randrange(1, 29)} 1,7 *"])
    return understood(f"{chance.randrange(60)} {chance.randrange(24)} {days}")


def crowded(number: int) -> Schedule:
    if chance.random() < 0.5:
        period = chance.choice([7, 9, 27, 45, 773, 1001, 1440])
        return every(minutes=period, offset=chance.randrange(period))
    return understood(f"*/{chance.choice([5, 10, 15])} {chance.choice(['*', '9-17'])} {chance.randrange(1, 29)} * *")


KINDS: Final[dict[str, Callable[[int], Schedule]]] = {
    "one a minute, none meet": one_a_minute,
    "any minute of some days": at_random,
    "most of them meet": crowded,
}


def timetable(schedule: Callable[[int], Schedule]) -> Timetable:
    lines = []
    for number in range(ENTRIES):
        made = schedule(number)
        cron = made if isinstance(made, crontab) else None
        lines.append(
            Line(
                name=f"entry {number}",
                task="t",
                words=str(made),
                pattern=pattern_of(made),
                cron=cron,
                expires=60,
                facts=TASK,
                spacing=0,
            )
        )
    return Timetable(lines=tuple(lines), at=AT, tasks=frozenset({"t"}), queues=frozenset({"maintenance"}))


def walk(table: Timetable) -> int:
    """How often in a year an entry is due at a minute at which another was."""
    start, seen, shared = int(AT.timestamp()) // 60, bytearray(YEAR), 0
    for line in table.lines:
        assert line.pattern is not None
        minute = next_due(line.pattern, start)
        while minute is not None and minute < start + YEAR:
            shared += seen[minute - start]
            seen[minute - start] = 1
            minute = next_due(line.pattern, minute + 1)
    return shared


def main() -> None:
    print(f"{ENTRIES:,} entries; proof for all time, all rules, median of {RUNS}; one year walked once")
    for name, schedule in KINDS.items():
        table = timetable(schedule)
        took = []
        for _ in range(RUNS):
            began = time.perf_counter()
            findings = judge(table)
            took.append(time.perf_counter() - began)
        began = time.perf_counter()
        shared = walk(table)
        walked, proved = time.perf_counter() - began, statistics.median(took)
        print(f"{name:26} proof {proved:6.3f} s, {len(findings):,} findings", end="; ")
        print(f"walk {walked:6.2f} s, {shared:,} minutes shared; {walked / proved:5.1f} x")


if __name__ == "__main__":
    main()
