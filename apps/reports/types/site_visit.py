"""SITE_VISIT: how often each site was visited in the window. A visit is a site report that somebody has completed.

Days are those of the site: what is a day's visit there counts for that day, wherever the report is read.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Count, DateField, DateTimeField, F, Func, Max, Min, Q
from django.db.models.functions import Cast

from apps.operations.models import Job, JobNeed
from apps.organization.models import Site
from apps.reports.content import Chart, Column, Content, Row
from apps.reports.windows import Window

from .occurrences import MOST_BARS, stream
from .parameters import require_known
from .scope import Scope

Status = JobNeed.Status

AN_INSTANT: Final = timedelta(microseconds=1)


def site_visit(scope: Scope) -> Content:
    """It has no parameters. Raises BadReportError."""
    require_known(scope.parameters)
    sites = Site.objects.filter(tenant_id=scope.tenant_id).order_by("code")
    if scope.site_id is not None:
        sites = sites.filter(pk=scope.site_id)
    visits = _visits(scope)  # one entry for each site that had any

    def rows() -> Iterator[Row]:
        for site_id, code, name, zone in stream(sites.values_list("pk", "code", "name", "timezone")):
            at_site = visits.get(site_id, NONE)
            days = _days(scope.window, ZoneInfo(zone))
            counts = (at_site["planned"], at_site["visited"], at_site["missed"])
            yield (code, name, *counts, at_site["days"], days - at_site["days"], at_site["first"], at_site["last"])

    count = sites.count()
    return Content(
        title=scope.title,
        type_name=scope.type_name,
        facts=scope.facts(("A visit", "a site report that was completed; days are those of the site")),
        zone=scope.zone,
        columns=(
            Column(heading="Site"),
            Column(heading="Name"),
            Column(heading="Planned", kind="integer"),
            Column(heading="Visits", kind="integer"),
            Column(heading="Missed", kind="integer"),
            Column(heading="Days with a visit", kind="integer"),
            Column(heading="Days without", kind="integer"),
            Column(heading="First visit", kind="moment"),
            Column(heading="Last visit", kind="moment"),
        ),
        row_count=count,
        rows=rows,
        chart=_chart(visits),
        totals=(
            ("Visits", str(sum(one["visited"] for one in visits.values()))),
            ("Sites without a visit", str(count - sum(one["visited"] > 0 for one in visits.values()))),
            ("Planned visits missed", str(sum(one["missed"] for one in visits.values()))),
        ),
    )


NONE: Final[dict[str, Any]] = {"planned": 0, "visited": 0, "missed": 0, "days": 0, "first": None, "last": None}


def _visits(scope: Scope) -> dict[int, dict[str, Any]]:
    """By the site's id: what was planned for the window, and what was done in it, whenever that was planned for."""
    start, end = scope.in_window
    planned = Q(planned_at__gte=start, planned_at__lt=end)
    visited = Q(status=Status.COMPLETED, performed_at__gte=start, performed_at__lt=end)
    local = Func(F("site__timezone"), F("performed_at"), function="timezone", output_field=DateTimeField())
    found = (
        JobNeed.objects.filter(planned | visited, **scope.at_sites, parent=None, job__kind=Job.Kind.SITE_REPORT)
        .order_by()
        .values("site_id", code=F("site__code"))
        .annotate(
            planned=Count("pk", filter=planned),
            missed=Count("pk", filter=planned & Q(status=Status.AUTO_CLOSED)),
            visited=Count("pk", filter=visited),
            days=Count(Cast(local, DateField()), filter=visited, distinct=True),
            first=Min("performed_at", filter=visited),
            last=Max("performed_at", filter=visited),
        )
    )
    return {one["site_id"]: {**one} for one in found}


def _days(window: Window, zone: ZoneInfo) -> int:
    """The local days of which some part is in the window."""
    first, last = window.start.astimezone(zone), (window.end - AN_INSTANT).astimezone(zone)
    return (last.date() - first.date()).days + 1


def _chart(visits: dict[int, dict[str, Any]]) -> Chart | None:
    bars = sorted(visits.values(), key=lambda one: (-one["planned"], one["code"]))[:MOST_BARS]
    if not bars:
        return None
    return Chart(
        title="Visits by site" + (f", the {MOST_BARS} with the most planned" if len(visits) > MOST_BARS else ""),
        labels=tuple(one["code"] for one in bars),
        series=(
            ("Visits", tuple(float(one["visited"]) for one in bars)),
            ("Missed", tuple(float(one["missed"]) for one in bars)),
        ),
    )
