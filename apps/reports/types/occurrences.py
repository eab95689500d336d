"""Planned work in numbers: what the summaries of tasks, tours and maintenance have in common."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Avg, Count, F, Q, QuerySet

from apps.operations.models import JobNeed
from apps.reports.content import Chart, Column, Row

from .scope import Scope

Status = JobNeed.Status

CHUNK: Final = 2000  # rows that are in memory at a time
MOST_BARS: Final = 12  # that a reader can tell apart

NUMBERS: Final[dict[str, Any]] = {
    "planned": Count("pk"),
    "completed": Count("pk", filter=Q(status=Status.COMPLETED)),
    "partially": Count("pk", filter=Q(status=Status.PARTIALLY_COMPLETED)),
    "missed": Count("pk", filter=Q(status=Status.AUTO_CLOSED)),
    "open": Count("pk", filter=Q(status__in=JobNeed.OPEN)),
}
DELAY: Final[Any] = Avg(
    F("performed_at") - F("planned_at"), filter=Q(status=Status.COMPLETED, performed_at__isnull=False)
)
NUMBER_COLUMNS: Final = (
    Column(heading="Planned", kind="integer"),
    Column(heading="Completed", kind="integer"),
    Column(heading="Partly", kind="integer"),
    Column(heading="Missed", kind="integer"),
    Column(heading="Open", kind="integer"),
    Column(heading="Completed %", kind="percent"),
)


def planned(scope: Scope, kinds: Iterable[str]) -> QuerySet[JobNeed]:
    """The root occurrences of the scope that were planned for its window, of these kinds of jobs."""
    start, end = scope.in_window
    return JobNeed.objects.filter(
        **scope.at_sites, parent=None, job__kind__in=list(kinds), planned_at__gte=start, planned_at__lt=end
    ).order_by()


def stream(rows: "QuerySet[Any, tuple[Any, ...]]") -> Iterator[tuple[Any, ...]]:
    """The rows of a query, by a cursor of the server."""
    return rows.iterator(chunk_size=CHUNK)


def numbers(counts: tuple[int, ...]) -> Row:
    """The cells of NUMBER_COLUMNS out of the values of NUMBERS."""
    return (*counts, share(counts[1], counts[0]))


def share(part: int, whole: int) -> Decimal | None:
    """None where there is nothing to take a share of."""
    return Decimal(part) / Decimal(whole) if whole else None


def minutes(duration: timedelta | None) -> float | None:
    return None if duration is None else duration / timedelta(minutes=1)


def totals(occurrences: QuerySet[JobNeed]) -> tuple[tuple[str, str], ...]:
    counts = occurrences.aggregate(**NUMBERS)
    percent = share(counts["completed"], counts["planned"])
    return (
        ("Planned", str(counts["planned"])),
        ("Completed", str(counts["completed"]) + ("" if percent is None else f" ({percent:.0%})")),
        ("Partly completed", str(counts["partially"])),
        ("Missed", str(counts["missed"])),
        ("Still open", str(counts["open"])),
    )


def chart(scope: Scope, occurrences: QuerySet[JobNeed], what: str) -> Chart | None:
    """What became of the work: a bar for each site, at one site for each job; the MOST_BARS with the most work."""
    label = "site__code" if scope.site_id is None else "job__name"
    found = occurrences.values(label).annotate(**NUMBERS).order_by("-planned", label)[: MOST_BARS + 1]
    bars = list(found[:MOST_BARS])
    if not bars:
        return None
    by = "site" if scope.site_id is None else "job"
    series = (("Completed", "completed"), ("Partly", "partially"), ("Missed", "missed"), ("Open", "open"))
    return Chart(
        title=f"{what} by {by}" + (f", the {MOST_BARS} with the most" if len(found) > MOST_BARS else ""),
        labels=tuple(bar[label] for bar in bars),
        series=tuple((name, tuple(float(bar[key]) for bar in bars)) for name, key in series),
    )
