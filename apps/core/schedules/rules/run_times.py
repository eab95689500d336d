"""Measured run times that do not fit into the timetable."""

from collections import defaultdict
from collections.abc import Iterator

from ..findings import Finding, finding
from ..patterns import least_wait
from ..timetable import Line, Timetable


def run_times(timetable: Timetable) -> Iterator[Finding]:
    """SCH107, where 95 of 100 runs are known to take so long. What shares a minute is the business of other rules."""
    neighbours = defaultdict(list)
    for line in timetable.lines:
        if line.pattern is not None and not line.floating:
            neighbours[line.zone, line.destination].append(line)
    for line in timetable.lines:
        period = line.period_seconds
        if line.run_seconds is None or period is None:
            continue
        if line.run_seconds > period:
            yield finding(
                "SCH107",
                line,
                message=f"{line.name} runs for {line.run_seconds:.0f} s (95 of 100 runs) and is due every "
                f"{period:.0f} s: its jobs pile up.",
                fix="Give it a longer period, or less to do; or overlap='skip'.",
            )
        elif not line.floating:
            yield from _into_the_next(line, neighbours[line.zone, line.destination])


def _into_the_next(line: Line, neighbours: list[Line]) -> Iterator[Finding]:
    assert line.run_seconds is not None  # noqa: S101 - both are asked before
    assert line.pattern is not None  # noqa: S101 - both are asked before
    waits = [
        (wait, other)
        for other in neighbours
        if other is not line and other.pattern is not None and (wait := least_wait(line.pattern, other.pattern))
    ]
    wait, next_one = min(waits, key=lambda each: each[0], default=(None, line))
    if wait is not None and line.run_seconds > wait * 60:
        yield finding(
            "SCH107",
            line,
            next_one,
            message=f"{line.name} runs for {line.run_seconds:.0f} s (95 of 100 runs), and {next_one.name} may be "
            f"due on the same queue {wait} min after its start.",
            fix="Move one of them (--suggest weighs run times), give them queues of their own, or more slots.",
        )
