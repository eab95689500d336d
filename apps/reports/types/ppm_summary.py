"""PPM_SUMMARY: preventive maintenance planned for the window, by asset, and when each is due next."""

from collections.abc import Iterator

from django.db.models import F, Max, Min, OuterRef, Q, Subquery

from apps.operations.models import Job, JobNeed
from apps.reports.content import Column, Content, Row

from .occurrences import NUMBER_COLUMNS, NUMBERS, chart, numbers, planned, stream, totals
from .parameters import require_known
from .scope import Scope


def ppm_summary(scope: Scope) -> Content:
    """It has no parameters. Raises BadReportError."""
    require_known(scope.parameters)
    services = planned(scope, [Job.Kind.PPM])
    next_one = (
        JobNeed.objects.filter(
            job=OuterRef("job_id"), parent=None, status__in=JobNeed.OPEN, planned_at__gte=scope.window.end
        )
        .order_by()
        .values("job")
        .annotate(at=Min("planned_at"))
        .values("at")
    )
    jobs = services.values("job_id").annotate(
        site_code=F("site__code"), asset_code=F("asset__code"), asset_name=F("asset__name"), name=F("job__name")
    )
    done = Max("performed_at", filter=Q(status=JobNeed.Status.COMPLETED))
    table = jobs.annotate(**NUMBERS, done=done, next=Subquery(next_one)).order_by(
        "site", "asset_code", "name", "job_id"
    )

    def rows() -> Iterator[Row]:
        cells = table.values_list("site_code", "asset_code", "asset_name", "name", *NUMBERS, "done", "next")
        for site, code, asset, name, *counts, done_at, next_at in stream(cells):
            yield (site, code, asset, name, *numbers(tuple(counts)), done_at, next_at)

    return Content(
        title=scope.title,
        type_name=scope.type_name,
        facts=scope.facts(),
        zone=scope.zone,
        columns=(
            Column(heading="Site"),
            Column(heading="Asset"),
            Column(heading="Asset name"),
            Column(heading="Maintenance"),
            *NUMBER_COLUMNS,
            Column(heading="Last done", kind="moment"),
            Column(heading="Next planned", kind="moment"),
        ),
        row_count=table.count(),
        rows=rows,
        chart=chart(scope, services, "Maintenance"),
        totals=totals(services),
    )
