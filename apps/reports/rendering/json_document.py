"""A report as JSON, for programs.

`rows` are arrays in the order of `columns`, whose kinds say what a cell is: percent as a ratio (0.25), minutes as a
number, dates and moments as ISO 8601 (moments with the offset of the report's zone), None as null. Decimals have all
their digits.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from apps.reports.content import Cell, Content, Row

from .cells import exact, known, local
from .texts import encodable

SCHEMA_VERSION: Final = 1  # one more when a reader of the old one would go wrong


def write(content: Content, rows: Iterator[Row], path: Path) -> None:
    head = _head(content)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        # The head without its closing brace: rows and their number come last, when they are known.
        file.write(head[:-1] + ',\n"rows": [')
        count = 0
        for count, row in enumerate(rows, start=1):
            file.write(",\n" if count > 1 else "\n")
            file.write("[" + ", ".join(_literal(cell, content.zone) for cell in row) + "]")
        file.write(f'\n],\n"row_count": {count}}}\n')


def _head(content: Content) -> str:
    chart = content.chart
    return _dumps(
        {
            "schema_version": SCHEMA_VERSION,
            "title": content.title,
            "type": content.type_name,
            "timezone": content.zone.key,
            "facts": [{"name": name, "value": value} for name, value in content.facts],
            "totals": [{"name": name, "value": value} for name, value in content.totals],
            "chart": chart
            and {
                "title": chart.title,
                "unit": chart.unit,
                "labels": chart.labels,
                "series": [
                    {"name": name, "values": [known(value) for value in values]} for name, values in chart.series
                ],
            },
            "columns": [{"heading": column.heading, "kind": column.kind} for column in content.columns],
        }
    )


def _literal(cell: Cell, zone: ZoneInfo) -> str:
    match known(cell):
        case None:
            return "null"
        case str() as text:
            return _dumps(text)
        case datetime() as moment:
            return f'"{local(moment, zone).isoformat()}"'
        case date() as day:
            return f'"{day.isoformat()}"'
        case int() as number:
            return f"{number:d}"
        case float() | Decimal() as number:
            return f"{exact(number):f}"  # json.dumps knows no Decimal, and a float would lose its digits


def _dumps(value: Any) -> str:
    return encodable(json.dumps(value, ensure_ascii=False))
