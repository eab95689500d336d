"""TOUR_SUMMARY: what became of the tours planned for the window, and how many of their checkpoints were visited."""

from collections.abc import Iterator
from typing import Final

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum

from apps.operations.models import Job, JobNeed
from apps.reports.content import Column, Content, Row

from .occurrences import NUMBER_COLUMNS, NUMBERS, chart, numbers, planned, share, stream, totals
from .parameters import choices, require_known
from .scope import Scope

KINDS: Final = (Job.Kind.INTERNAL_TOUR, Job.Kind.EXTERNAL_TOUR)


def tour_summary(scope: Scope) -> Content:
    """Parameters: kinds, a list. Raises BadReportError."""
    parameters = require_known(scope.parameters, "kinds")
    kinds = choices(parameters, "kinds", KINDS)
    tours = planned(scope, kinds)
    jobs = tours.values("job_id").annotate(site_code=F("site__code"), name=F("job__name"), kind=F("job__kind"))
    # Counted for each tour by itself: a join would count the tour once for each of its checkpoints.
    table = jobs.annotate(
        **NUMBERS, points=Sum(_checkpoints()), visited=Sum(_checkpoints(status=JobNeed.Status.COMPLETED))
    ).order_by("site_code", "name", "job_id")

    def rows() -> Iterator[Row]:
        cells = table.values_list("site_code", "name", "kind", *NUMBERS, "points", "visited")
        for site, name, kind, *counts, points, visited in stream(cells):
            points, visited = points or 0, visited or 0
            yield (site, name, Job.Kind(kind).label, *numbers(tuple(counts)), points, visited, share(visited, points))

    return Content(
        title=scope.title,
        type_name=scope.type_name,
        facts=scope.facts(("Kinds", ", ".join(Job.Kind(kind).label for kind in kinds))),
        zone=scope.zone,
        columns=(
            Column(heading="Site"),
            Column(heading="Tour"),
            Column(heading="Kind"),
            *NUMBER_COLUMNS,
            Column(heading="Checkpoints", kind="integer"),
            Column(heading="Visited", kind="integer"),
            Column(heading="Visited %", kind="percent"),
        ),
        row_count=table.count(),
        rows=rows,
        chart=chart(scope, tours, "Tours"),
        totals=(*totals(tours), *_checkpoint_totals(tours)),
    )


def _checkpoints(**conditions: str) -> Subquery:
    checkpoints = JobNeed.objects.filter(parent=OuterRef("pk"), **conditions).order_by().values("parent")
    return Subquery(checkpoints.annotate(number=Count("pk")).values("number"), output_field=IntegerField())


def _checkpoint_totals(tours: QuerySet[JobNeed]) -> tuple[tuple[str, str], ...]:
    visited = Count("pk", filter=Q(status=JobNeed.Status.COMPLETED))
    counts = JobNeed.objects.filter(parent__in=tours).aggregate(points=Count("pk"), visited=visited)
    return (("Checkpoints visited", f"{counts['visited']} of {counts['points']}"),)
