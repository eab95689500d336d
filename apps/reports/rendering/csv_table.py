"""A report as CSV (RFC 4180): headings and rows, nothing else, so that programs can read it.

UTF-8 with a byte order mark: without one Excel takes the file for the old code page of its computer and shows
"MÃ¼ller", and other programs skip it (Python: encoding "utf-8-sig"). Lines end in CRLF. Numbers are plain
("-1234.5"), percents in percent, minutes in minutes, moments ISO 8601 with their offset; None is an empty field.
Texts cannot become formulas.
"""

import csv
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from apps.reports.content import Cell, Column, Content, Kind, Row

from .cells import exact, known, local
from .formulas import neutralised
from .texts import readable

UNITS: Final[dict[Kind, str]] = {"percent": " (%)", "minutes": " (min)"}


def write(content: Content, rows: Iterator[Row], path: Path) -> None:
    kinds = [column.kind for column in content.columns]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, lineterminator="\r\n")
        table.writerow([_heading(column, content.zone) for column in content.columns])
        for row in rows:
            table.writerow([_field(cell, kind, content.zone) for cell, kind in zip(row, kinds, strict=True)])


def _heading(column: Column, zone: ZoneInfo) -> str:
    unit = f" ({zone.key})" if column.kind == "moment" else UNITS.get(column.kind, "")
    return neutralised(readable(column.heading + unit))


def _field(cell: Cell, kind: Kind, zone: ZoneInfo) -> str:
    match known(cell):
        case None:
            return ""
        case str() as text:
            return neutralised(readable(text))
        case datetime() as moment:
            return local(moment, zone).isoformat(timespec="seconds")
        case date() as day:
            return day.isoformat()
        case number:
            value = exact(number) * 100 if kind == "percent" else exact(number)
            return f"{value:f}"
