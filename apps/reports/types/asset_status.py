"""ASSET_STATUS: the assets as they stand when the report is made, with what happened to them in the window.

The status of an asset has no history, so it is the present one whatever the window.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, IntegerField, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.helpdesk.models import Ticket
from apps.helpdesk.transitions import WAITING, Status
from apps.operations.models import Job, JobNeed
from apps.organization.local_time import in_zone
from apps.organization.models import Asset
from apps.reports.content import Chart, Column, Content, Row

from .occurrences import MOST_BARS, stream
from .parameters import choices, require_known
from .scope import Scope


def asset_status(scope: Scope) -> Content:
    """Parameters: statuses, a list. Raises BadReportError."""
    parameters = require_known(scope.parameters, "statuses")
    statuses = choices(parameters, "statuses", Asset.Status.values)
    assets = Asset.objects.filter(**scope.at_sites, status__in=statuses).order_by()
    table = assets.annotate(**_tickets(scope), **_maintenance(scope.made_at)).order_by("site__code", "code", "pk")
    fields = ("site__code", "code", "name", "status", "open_tickets", "raised", "serviced", "next_service")

    def rows() -> Iterator[Row]:
        yield from stream(table.values_list(*fields))

    return Content(
        title=scope.title,
        type_name=scope.type_name,
        facts=scope.facts(
            ("Status of the assets", f"as of {in_zone(scope.made_at, scope.zone)}"),
            ("Statuses", ", ".join(statuses)),
        ),
        zone=scope.zone,
        columns=(
            Column(heading="Site"),
            Column(heading="Asset"),
            Column(heading="Name"),
            Column(heading="Status"),
            Column(heading="Tickets not done", kind="integer"),
            Column(heading="Tickets raised in the window", kind="integer"),
            Column(heading="Last maintenance", kind="moment"),
            Column(heading="Next maintenance", kind="moment"),
        ),
        row_count=assets.count(),
        rows=rows,
        chart=_chart(scope, assets, statuses),
        totals=_totals(assets),
    )


def _tickets(scope: Scope) -> dict[str, Any]:
    start, end = scope.in_window
    of_asset = Ticket.objects.filter(asset=OuterRef("pk"), tenant_id=scope.tenant_id).order_by().values("asset")

    def counted(**conditions: Any) -> Coalesce:
        number = of_asset.filter(**conditions).annotate(number=Count("pk")).values("number")
        return Coalesce(Subquery(number, output_field=IntegerField()), 0)

    return {
        "open_tickets": counted(status__in=[*WAITING, Status.ON_HOLD]),
        "raised": counted(created_at__gte=start, created_at__lt=end),
    }


def _maintenance(now: datetime) -> dict[str, Any]:
    services = JobNeed.objects.filter(asset=OuterRef("pk"), parent=None, job__kind=Job.Kind.PPM)
    of_asset = services.order_by().values("asset")
    done = of_asset.filter(status=JobNeed.Status.COMPLETED).annotate(at=Max("performed_at"))
    ahead = of_asset.filter(status__in=JobNeed.OPEN, planned_at__gte=now).annotate(at=Min("planned_at"))
    return {"serviced": Subquery(done.values("at")), "next_service": Subquery(ahead.values("at"))}


def _chart(scope: Scope, assets: QuerySet[Asset], statuses: list[str]) -> Chart | None:
    label = "site__code"
    counts: dict[str, Any] = {status: Count("pk", filter=Q(status=status)) for status in statuses}
    found = assets.values(label).annotate(number=Count("pk"), **counts).order_by("-number", label)[: MOST_BARS + 1]
    bars = list(found[:MOST_BARS])
    if not bars or scope.site_id is not None:
        return None  # a single bar says no more than the totals
    return Chart(
        title="Assets by site" + (f", the {MOST_BARS} with the most" if len(found) > MOST_BARS else ""),
        labels=tuple(bar[label] for bar in bars),
        series=tuple(
            (Asset.Status(status).label, tuple(float(bar[status]) for bar in bars))
            for status in Asset.Status.values
            if status in statuses
        ),
    )


def _totals(assets: QuerySet[Asset]) -> tuple[tuple[str, str], ...]:
    found = dict(assets.values_list("status").annotate(number=Count("pk")))
    return (
        ("Assets", str(sum(found.values()))),
        *((Asset.Status(status).label, str(found[status])) for status in Asset.Status.values if status in found),
    )
