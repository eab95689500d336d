"""Failures, by what went wrong."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from apps.core.runs.failures import FailureGroup, groups
from apps.core.runs.query import RunQuery

from ..access import page
from ..charts import Bars, bars
from .base import show

MOST: Final = 100  # groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    group: FailureGroup
    chart: Bars
    runs: str  # the address of its runs


@require_safe
@page
def failures(request: HttpRequest) -> HttpResponse:
    found = groups(datetime.now(UTC), MOST)
    return show(
        request,
        "monitoring/failures.html",
        title="Failures",
        place="failures",
        rows=[_row(group) for group in found],
        most=MOST,
        is_cut=len(found) == MOST,
    )


def _row(group: FailureGroup) -> Row:
    of_day = sum(group.trend)
    query = urlencode({"q": str(RunQuery(fingerprint=group.fingerprint))})
    return Row(
        group=group,
        chart=bars(
            group.trend, title=f"By hour, the last 24 hours: {of_day:,} in all, {group.trend[-1]:,} in this one"
        ),
        runs=f"{reverse('admin:monitoring_celery_runs')}?{query}",
    )
