"""Whether the jobs of an entry may run twice, or at the same time, and whether they run at all."""

from collections.abc import Iterator

from ..findings import Finding, finding
from ..timetable import Line, TaskFacts, Timetable


def guards(timetable: Timetable) -> Iterator[Finding]:
    """SCH109: an error where firings would be suppressed or refused."""
    for line in timetable.lines:
        if line.facts is not None:
            yield from _guard(line, line.facts)


def overlaps(timetable: Timetable) -> Iterator[Finding]:
    """SCH112."""
    for line in timetable.lines:
        limit = line.facts.time_limit if line.facts else None
        period = line.period_seconds
        if limit and period and limit > period and line.overlap_allowed:
            yield finding(
                "SCH112",
                line,
                message=f"A job of {line.name} may run for {limit:g} s (time_limit of {line.task}), and the next is "
                f"due after {period:g} s: two may run at once.",
                fix="Lower the task's time_limit below the period, or give the entry overlap='skip'.",
            )


def _guard(line: Line, task: TaskFacts) -> Iterator[Finding]:
    period = line.period_seconds
    if not task.of_engine:
        return  # how it guards itself cannot be told
    if not task.guarded:
        yield finding(
            "SCH109",
            line,
            message=f"{line.name} is periodic, but its task {line.task} is not idempotent: a job that is delivered "
            "twice does its work twice.",
            fix="Declare the task with base=IdempotentTask; or with repeatable=True, where that does no harm.",
        )
    if task.idempotent and task.key_ignores_firing and period and task.ttl > period:
        yield finding(
            "SCH109",
            line,
            severity="error",
            message=f"{line.name} is due every {period:g} s, but all jobs of {line.task} have one key, and a result "
            f"answers duplicates for {task.ttl:g} s: the next firing would be answered instead of run.",
            fix="Leave idempotency_key out: then each firing has its own. Or set idempotency_ttl below the period.",
        )
    if task.idempotent and task.scope != "global":
        yield finding(
            "SCH109",
            line,
            severity="error",
            message=f"The jobs of {line.task} are told apart by {task.scope}, and beat has none: each firing of "
            f"{line.name} would be refused.",
            fix='Set idempotency_scope="global", and let the job enqueue one for each tenant.',
        )
