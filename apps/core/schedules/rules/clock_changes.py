"""Schedules in local time, where clocks change."""

from collections.abc import Iterator
from datetime import datetime

from ..daylight import in_words, upcoming
from ..findings import Finding, finding
from ..timetable import UTC_ZONE, Line, Timetable


def clock_changes(timetable: Timetable) -> Iterator[Finding]:
    """SCH110, and SCH114 where the engine's scheduler, which knows UTC alone, would have to fire it."""
    for line in timetable.lines:
        if line.cron is None or line.zone == UTC_ZONE:
            continue
        yield from _disturbed(line, timetable.at)
        if timetable.fires_exactly_once:
            yield finding(
                "SCH114",
                line,
                message=f"{line.name}: its crontab is in {line.zone}, and the engine's scheduler knows UTC alone.",
                fix='Set CELERY_TIMEZONE = "UTC" and convert it.',
            )


def _disturbed(line: Line, at: datetime) -> Iterator[Finding]:
    assert line.cron is not None  # noqa: S101 - it is asked before
    if found := upcoming(line.cron, line.zone, at):
        yield finding(
            "SCH110",
            line,
            message=f"{line.name} ({line.words}, {line.zone} time) {in_words(found)}.",
            fix="Write it in UTC; or at a time of day that clocks never skip or repeat there.",
        )
