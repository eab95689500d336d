"""Asking the types of reports without making files."""

from datetime import datetime
from typing import Any

from apps.organization.models import Site
from apps.reports.content import Content, Row
from apps.reports.making import scope_of
from apps.reports.models import ReportSchedule
from apps.reports.types import content_of
from apps.reports.windows import Window

from .firm import DAY, MIDNIGHT, NOW, Firm

YESTERDAY = Window(start=MIDNIGHT - DAY, end=MIDNIGHT)


def ask(
    firm: Firm,
    type_: str,
    *,
    site: Site | None = None,
    window: Window = YESTERDAY,
    now: datetime = NOW,
    **parameters: Any,
) -> Content:
    """What a report of the firm says; the schedule is not saved."""
    schedule = ReportSchedule(
        tenant=firm.tenant, site=site, type=type_, name="A report", timezone=firm.zone, parameters=parameters
    )
    return content_of(type_, scope_of(schedule, window, now=now))


def rows_of(content: Content) -> list[Row]:
    """All rows, which are as many as the content says and have its columns, also when they are read again."""
    rows = list(content.rows())
    assert rows == list(content.rows())
    assert len(rows) == content.row_count
    assert all(len(row) == len(content.columns) for row in rows)
    return rows


def bars(content: Content) -> dict[str, tuple[float, ...]]:
    """The chart's values, by label."""
    assert content.chart
    return {
        label: tuple(values[position] for _, values in content.chart.series)
        for position, label in enumerate(content.chart.labels)
    }
