"""A report as one HTML file: no scripts, nothing loaded from elsewhere, readable on a phone and in the dark."""

from collections.abc import Iterator
from html import escape
from itertools import islice
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from apps.reports.content import Cell, Column, Content, Row

from .cells import NUMBERS, shown
from .svg import rules_of_tones, svg_of
from .texts import readable

_ROWS: Final = "<!-- rows -->"  # no text from outside can say this: its < is written &lt;
_AT_ONCE: Final = 200  # rows of one write
_NOTHING: Final = '<span class="none">&ndash;</span>'


def write(content: Content, rows: Iterator[Row], path: Path) -> None:
    before, after = _frame(content).split(_ROWS)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(before)
        while batch := list(islice(rows, _AT_ONCE)):
            file.write("".join(_row(row, content.columns, content.zone) for row in batch))
        file.write(after)


def _frame(content: Content) -> str:
    chart = svg_of(content.chart) if content.chart else None
    context = {
        "title": readable(content.title),
        "type_name": readable(content.type_name),
        "facts": _pairs(content.facts),
        "totals": _pairs(content.totals),
        "headings": [(_heading(column, content.zone), column.kind in NUMBERS) for column in content.columns],
        "row_count": content.row_count,
        "chart_title": readable(content.chart.title) if content.chart else "",
        "chart": chart and mark_safe(chart),  # noqa: S308 - svg.py escapes every text
        "tones": mark_safe(rules_of_tones()),  # noqa: S308 - our own colours
        "rows": mark_safe(_ROWS),  # noqa: S308 - our own comment
    }
    return render_to_string("reports/report.html", context)


def _pairs(pairs: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [(readable(name), readable(value)) for name, value in pairs]


def _heading(column: Column, zone: ZoneInfo) -> str:
    return readable(column.heading) + (f" ({zone.key})" if column.kind == "moment" else "")


def _row(row: Row, columns: tuple[Column, ...], zone: ZoneInfo) -> str:
    cells = "".join(_cell(cell, column, zone) for cell, column in zip(row, columns, strict=True))
    return f"<tr>{cells}</tr>\n"


def _cell(cell: Cell, column: Column, zone: ZoneInfo) -> str:
    text = escape(readable(shown(cell, column.kind, zone)))
    if column.kind in NUMBERS:
        return f'<td class="n">{text or _NOTHING}</td>'
    if column.kind == "text":
        return f"<td>{text or _NOTHING}</td>"
    return f'<td class="t">{text or _NOTHING}</td>'
