"""Entries of tasks that nobody knows."""

from collections.abc import Iterator
from typing import Any

from ...queues import nearest
from ..findings import Finding, finding
from ..timetable import Line, Timetable


def registration(timetable: Timetable) -> Iterator[Finding]:
    """SCH103, with the nearest name, or with the function that has lost its decorator."""
    for line in timetable.lines:
        if line.task not in timetable.tasks:
            yield finding("SCH103", line, **_problem(line, timetable))


def _problem(line: Line, timetable: Timetable) -> dict[str, Any]:
    wrong = f"{line.name} fires {line.task!r}, which is no registered task"
    if place := timetable.undecorated.get(line.task):
        return {
            "message": f"{wrong}: the function at {place.file}:{place.line} has no task decorator.",
            "fix": "Add @shared_task above the function.",
        }
    known = [task for task in timetable.tasks if not task.startswith("celery.")]
    hint = nearest(line.task, known) if known else "the application has no tasks"
    return {
        "message": f"{wrong}; {hint}",
        "fix": "Correct the name, or add the @shared_task decorator to the function.",
    }
