"""TASK_SUMMARY: what became of the tasks planned for the window, job by job."""

from collections.abc import Iterator

from django.db.models import F

from apps.operations.models import Job
from apps.reports.content import Column, Content, Row

from .occurrences import DELAY, NUMBER_COLUMNS, NUMBERS, chart, minutes, numbers, planned, stream, totals
from .parameters import choices, require_known
from .scope import Scope


def task_summary(scope: Scope) -> Content:
    """Parameters: priorities, a list. Raises BadReportError."""
    parameters = require_known(scope.parameters, "priorities")
    priorities = choices(parameters, "priorities", Job.Priority.values)
    tasks = planned(scope, [Job.Kind.TASK]).filter(job__priority__in=priorities)
    jobs = tasks.values("job_id").annotate(
        site_code=F("site__code"), name=F("job__name"), priority=F("job__priority")
    )
    table = jobs.annotate(**NUMBERS, delay=DELAY).order_by("site_code", "name", "job_id")

    def rows() -> Iterator[Row]:
        cells = table.values_list("site_code", "name", "priority", *NUMBERS, "delay")
        for site, name, priority, *counts, delay in stream(cells):
            yield (site, name, priority, *numbers(tuple(counts)), minutes(delay))

    return Content(
        title=scope.title,
        type_name=scope.type_name,
        facts=scope.facts(("Priorities", ", ".join(priorities))),
        zone=scope.zone,
        columns=(
            Column(heading="Site"),
            Column(heading="Task"),
            Column(heading="Priority"),
            *NUMBER_COLUMNS,
            Column(heading="Done after the planned time", kind="minutes"),
        ),
        row_count=table.count(),
        rows=rows,
        chart=chart(scope, tasks, "Tasks"),
        totals=totals(tasks),
    )
