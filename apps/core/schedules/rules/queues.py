"""Where the jobs of entries go, and whether anybody takes them from there."""

from collections.abc import Iterator

from ...queues import nearest
from ..findings import Finding, finding
from ..timetable import Line, Timetable


def queues(timetable: Timetable) -> Iterator[Finding]:
    """SCH108."""
    for line in timetable.lines:
        queue = line.destination
        if queue is None:
            continue
        if queue not in timetable.queues:
            yield finding(
                "SCH108",
                line,
                message=f"{line.name} sends its jobs to the queue {queue!r}, which does not exist; "
                f"{nearest(queue, timetable.queues)}",
                fix=_leave_it_to_the_task(line),
            )
        elif line.queue and line.facts and line.facts.queue and line.queue != line.facts.queue:
            yield finding(
                "SCH108",
                line,
                message=f"{line.name} sends its jobs to the queue {queue!r}, but its task {line.task} belongs to "
                f"{line.facts.queue!r}.",
                fix=_leave_it_to_the_task(line),
            )
        elif timetable.served is not None and queue not in timetable.served:
            yield finding(
                "SCH108",
                line,
                message=f"No worker pool serves the queue {queue!r}, to which {line.name} sends its jobs.",
                fix="Add the queue to a pool.",
            )


def _leave_it_to_the_task(line: Line) -> str:
    if line.queue:
        return "Remove the queue from the entry: the task's own declaration names it."
    return "Name one of the queues that there are in the task's declaration."
