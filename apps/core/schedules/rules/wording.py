"""Schedules that do not do what they seem to say."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from celery.schedules import crontab_parser

from ..findings import Finding, Severity, finding
from ..patterns import is_never
from ..timetable import Line, Timetable


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a crontab."""

    name: str
    size: int  # after which it starts again
    first: int  # its lowest value
    every: str  # when it starts again
    severity: Severity  # of a step that does not divide it


FIELDS: Final = (
    Field(name="minute", size=60, first=0, every="hour", severity="error"),
    Field(name="hour", size=24, first=0, every="day", severity="error"),
    Field(name="day_of_month", size=31, first=1, every="month", severity="warning"),
    Field(name="month_of_year", size=12, first=1, every="year", severity="warning"),
    Field(name="day_of_week", size=7, first=0, every="week", severity="warning"),
)


def wordings(timetable: Timetable) -> Iterator[Finding]:
    """SCH104, SCH105, SCH111, SCH114."""
    for line in timetable.lines:
        if line.cron is not None:
            yield from _uneven_steps(line)
        if line.interval is not None:
            yield _restarting(line)
        elif line.pattern is None:
            yield finding(
                "SCH114",
                line,
                message=f"{line.name}: nothing can be said about its schedule {line.words}: {line.unclear}.",
                fix="Use Entry(when=…), a crontab or an interval.",
            )
        elif is_never(line.pattern):
            yield finding(
                "SCH111",
                line,
                message=f"{line.name} ({line.words}) never fires: there is no such date.",
                fix="Correct its days, or remove it.",
            )


def _restarting(line: Line) -> Finding:
    assert line.interval is not None  # noqa: S101 - it is called for intervals
    seconds = line.interval.total_seconds()
    fix = f"Write every(minutes={max(round(seconds / 60), 1)}, offset=…), which says its minutes, or a crontab."
    if line.pattern is None:
        return finding(
            "SCH105",
            line,
            message=f"{line.name} is due every {seconds:g} s, which is no whole number of minutes: it wanders "
            "through all of them, and shares some with every other entry.",
            fix=fix,
        )
    if line.floating:
        return finding(
            "SCH105",
            line,
            message=f"{line.name} is due every {seconds:g} s from the moment at which beat has started: each restart "
            "puts it off, and nobody can say which minutes it shares.",
            fix=fix,
        )
    return finding(
        "SCH105",
        line,
        severity="warning",
        message=f"{line.name} is due every {seconds:g} s, counted from 1970 here and from beat's start by Celery's "
        "own scheduler: its text does not tell at which minutes.",
        fix=fix,
    )


def _uneven_steps(line: Line) -> Iterator[Finding]:
    for field in FIELDS:
        text = getattr(line.cron, f"_orig_{field.name}")
        for part in str(text).split(",") if isinstance(text, str) else ():
            if "/" not in part:
                continue
            values = sorted(crontab_parser(field.size, field.first).parse(part))
            around = [*values, values[0] + field.size]  # the first one again, an hour, day or week later
            gaps = [later - earlier for earlier, later in pairwise(around)]
            if min(gaps) < int(part.rpartition("/")[2]):
                yield _uneven(line, field, part, values, gaps)


def _uneven(line: Line, field: Field, part: str, values: list[int], gaps: list[int]) -> Finding:
    step = int(part.rpartition("/")[2])
    shown = ", ".join(map(str, values if len(values) < 9 else [*values[:8], "…"]))
    divisors = [
        str(number) for number in range(2, field.size) if not field.size % number and abs(number - step) < step
    ]
    instead = f"Use a step that divides {field.size}" + (f" ({', '.join(divisors)})" if divisors else "")
    if field.name == "minute":
        instead += f", or every(minutes={step}, offset=…), which never starts again"
    return finding(
        "SCH104",
        line,
        severity=field.severity,
        message=f"{line.name}: {part} as {field.name} starts again each {field.every}: it is due at {shown}, and "
        f"comes after {min(gaps)} instead of {step} once in each {field.every}.",
        fix=f"{instead}.",
    )
