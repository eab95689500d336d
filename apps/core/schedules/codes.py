"""The kinds of findings about timetables: one table, which `--explain` prints."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    code: str
    title: str
    severity: Literal["error", "warning", "info"]  # unless a finding says another
    why: str  # why it matters
    fix: str  # what to do, in general
    stops: bool = False  # whether workers and beat refuse to start: such an entry cannot be fired


_ALL: Final = (
    Code(
        code="SCH100",
        title="a suppression without a reason, or of nothing",
        severity="warning",
        why="A suppression that says no reason, or no longer suppresses anything, hides the next mistake.",
        fix="Write `# schedules: ignore[SCH102] the reason`, or remove the comment.",
    ),
    Code(
        code="SCH101",
        title="two entries share a minute",
        severity="error",
        why="Jobs that start together compete for the same slots, locks and connections, and each waits for the "
        "other. It is proved for all time: intervals by the greatest common divisor of their periods, calendars "
        "over the 400 years after which they repeat.",
        fix="Move one of them. `--suggest` says where to.",
    ),
    Code(
        code="SCH102",
        title="two entries of one queue are closer than their spacing",
        severity="error",
        why="Heavy jobs need time to end before the next one starts: entries on `critical` stand 15 minutes apart, "
        "others as their `spacing` says.",
        fix="Move one of them. `--suggest` says where to.",
    ),
    Code(
        code="SCH103",
        title="the task is not registered",
        severity="error",
        why="Each firing would enqueue a job that no worker knows.",
        fix="Correct the name, or decorate the function with @shared_task.",
        stops=True,
    ),
    Code(
        code="SCH104",
        title="a cron step that does not divide its range",
        severity="error",
        why="Cron starts again at the end of each hour, day, week or month: `*/27` is due at 0, 27 and 54, so its "
        "gaps are 27, 27 and 6 minutes.",
        fix="Use a step that divides the range, or every(minutes=27, offset=…), which never starts again.",
    ),
    Code(
        code="SCH105",
        title="an interval that restarts with the process",
        severity="error",
        why="Celery counts a timedelta from the moment at which beat has started, so nobody can say at which "
        "minutes it is due, and each restart puts it off. The engine's scheduler counts it from 1970, which its "
        "text does not tell.",
        fix="Write every(minutes=…, offset=…), which says its minutes, or a crontab.",
    ),
    Code(
        code="SCH106",
        title="no expiry, or one that is longer than the period",
        severity="error",
        why="After an outage the jobs of all the firings that were missed wait in the queue, and run one after "
        "another to do the same work.",
        fix="Give it an expiry below its period: the next firing does the work.",
    ),
    Code(
        code="SCH107",
        title="it runs longer than there is room",
        severity="warning",
        why="Where a run (measured: 95 of 100) takes longer than the period, or than it takes until the next entry "
        "of its queue, jobs pile up.",
        fix="Give it a longer period, another queue, or less to do; or move its neighbour.",
    ),
    Code(
        code="SCH108",
        title="a queue that is unknown, another than the task's own, or that nobody serves",
        severity="error",
        why="Its jobs would be refused, take a way that the task does not know, or wait for ever.",
        fix="Name the queue at the task, not at the entry; and see that a pool serves it.",
        stops=True,
    ),
    Code(
        code="SCH109",
        title="periodic, but its guard against duplicates does not fit",
        severity="warning",
        why="A periodic job that is not idempotent does its work twice when it is delivered twice. One whose key "
        "is the same for every firing is taken for a duplicate of the firing before while that one's result is "
        "kept. One that is told apart by tenant or user cannot be enqueued by beat, which has neither.",
        fix="Declare the task with base=IdempotentTask, without idempotency_key, and scope 'global'.",
    ),
    Code(
        code="SCH110",
        title="skipped or doubled where clocks change",
        severity="error",
        why="Local times between 02:00 and 03:00 or so do not exist on one day of the year, and come twice on "
        "another.",
        fix="Write the timetable in UTC.",
    ),
    Code(
        code="SCH111",
        title="never fires",
        severity="error",
        why="There is no such date.",
        fix="Correct its days, or remove it.",
        stops=True,
    ),
    Code(
        code="SCH112",
        title="a job may run longer than the period, and nothing keeps the next from starting",
        severity="warning",
        why="The time limit allows a run to last until the next firing and beyond: then two run at once.",
        fix="Lower the task's time_limit below the period, or give the entry overlap='skip'.",
    ),
    Code(
        code="SCH113",
        title="two entries that meet whatever their offsets",
        severity="error",
        why="Periods without a common factor meet at every offset: sooner or later each minute of one is one of "
        "the other.",
        fix="Only another period cures it: one that shares a factor with the other's.",
    ),
    Code(
        code="SCH114",
        title="a schedule of a kind that cannot be judged",
        severity="error",
        why="Nothing can be proved about it, and the engine's scheduler cannot fire it exactly once.",
        fix="Use Entry(when=…), a crontab or an interval.",
        stops=True,
    ),
)
CODES: Final = {code.code: code for code in _ALL}
