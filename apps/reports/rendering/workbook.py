"""A report as an Excel workbook: what it is about and a chart on the first sheet, the rows on the second.

Cells are typed, so that they can be sorted and summed. Excel has no time zones: moments are local times, and the
heading names the zone; in the hour that comes twice the cell shows which one it is. Rows go to disk as they come
(constant memory), and from the row on at which a sheet is full, to a further sheet.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter

from apps.reports.content import Cell, Column, Content, Kind, Row

from .cells import exact, is_repeated, known, local, shown
from .sheet_text import cell_text
from .summary_sheet import write_summary

ROWS_OF_A_SHEET: Final = 1_048_575  # Excel's limit, less the heading
_DIGITS: Final = 10**15  # of which Excel keeps 15
_FIRST_YEAR: Final = 1900  # Excel knows no days before
_WIDEST: Final = 60  # letters; longer texts are wrapped
_FORMATS: Final[dict[Kind, str]] = {
    "integer": "#,##0",
    "decimal": "#,##0.00",
    "percent": "0.0%",
    "minutes": "[h]:mm;-[h]:mm",
    "date": "dd mmm yyyy",
    "moment": "dd mmm yyyy hh:mm",
}
_UNITS: Final[dict[Kind, str]] = {"minutes": " (h:mm)"}


def write(content: Content, rows: Iterator[Row], path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        options = {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False, "strings_to_urls": False}
        workbook = xlsxwriter.Workbook(str(path), options)
        try:
            # Not now: the same content makes the same file.
            workbook.set_properties({"title": cell_text(content.title), "created": datetime(1980, 1, 1)})  # noqa: DTZ001
            write_summary(workbook, content)
            _write_rows(workbook, content, rows)
            workbook.close()
        finally:
            # After an error it is not closed, for that would write the file; the rows so far are still open.
            for sheet in workbook.worksheets():
                sheet.row_data_fh.close()


def _write_rows(workbook: Any, content: Content, rows: Iterator[Row]) -> None:
    writer = _Cells(workbook=workbook, zone=content.zone)
    for number in range(1, 1_000):
        sheet = workbook.add_worksheet("Data" if number == 1 else f"Data {number}")
        _write_sheet(sheet, content, islice(rows, ROWS_OF_A_SHEET), writer)
        following = next(rows, None)
        if following is None:
            return
        rows = chain([following], rows)


def _write_sheet(sheet: Any, content: Content, rows: Iterator[Row], writer: "_Cells") -> None:
    headings = [_heading(column, content.zone) for column in content.columns]
    widths = [min(len(heading) + 3, 24) for heading in headings]
    for position, heading in enumerate(headings):
        sheet.write_string(0, position, heading, writer.heading_format)
    last = 0
    for last, row in enumerate(rows, start=1):
        for position, (cell, column) in enumerate(zip(row, content.columns, strict=True)):
            width = writer.write(sheet, last, position, cell, column.kind)
            widths[position] = max(widths[position], min(width + 2, _WIDEST))
    sheet.freeze_panes(1, 0)
    if headings:
        sheet.autofilter(0, 0, last, len(headings) - 1)
    for position, width in enumerate(widths):
        sheet.set_column(position, position, width)
    sheet.repeat_rows(0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&CPage &P of &N")


def _heading(column: Column, zone: ZoneInfo) -> str:
    unit = f" ({zone.key})" if column.kind == "moment" else _UNITS.get(column.kind, "")
    return cell_text(column.heading + unit)


@dataclass(slots=True, kw_only=True)
class _Cells:
    """Writes cells in the format of their kind."""

    workbook: Any
    zone: ZoneInfo
    heading_format: Any = field(init=False)
    text_format: Any = field(init=False)
    formats: dict[str, Any] = field(init=False, default_factory=dict)  # by their number format

    def __post_init__(self) -> None:
        self.heading_format = self.workbook.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#E8EEF4"}
        )
        # The prefix is the apostrophe that keeps a text a text when somebody edits its cell.
        self.text_format = self.workbook.add_format({"quote_prefix": True, "text_wrap": True, "valign": "top"})

    def write(self, sheet: Any, row: int, position: int, cell: Cell, kind: Kind) -> int:
        """Write `cell`. Returns its width in letters."""
        match known(cell):
            case None:
                return 0
            case datetime() as moment if kind != "date":
                return self._moment(sheet, row, position, local(moment, self.zone))
            case datetime() as moment:
                return self._day(sheet, row, position, local(moment, self.zone).date())
            case date() as day:
                return self._day(sheet, row, position, day)
            case str() as text:
                return self._text(sheet, row, position, text)
            case number:
                return self._number(sheet, row, position, number, kind)

    def _text(self, sheet: Any, row: int, position: int, text: str) -> int:
        text = cell_text(text)
        sheet.write_string(row, position, text, self.text_format)
        return max(map(len, text[:1_000].splitlines()), default=0)

    def _number(self, sheet: Any, row: int, position: int, number: int | float | Decimal, kind: Kind) -> int:
        if abs(exact(number)) >= _DIGITS:
            return self._text(sheet, row, position, f"{exact(number):f}")
        value = number / 1440 if kind == "minutes" else number  # Excel counts days
        sheet.write_number(row, position, value, self._format(_FORMATS.get(kind, "General")))
        return len(shown(number, kind, self.zone))

    def _day(self, sheet: Any, row: int, position: int, day: date) -> int:
        if day.year < _FIRST_YEAR:
            return self._text(sheet, row, position, day.isoformat())
        sheet.write_datetime(row, position, day, self._format(_FORMATS["date"]))
        return 11

    def _moment(self, sheet: Any, row: int, position: int, moment: datetime) -> int:
        if moment.year < _FIRST_YEAR:
            return self._text(sheet, row, position, moment.isoformat(timespec="seconds"))
        which = f' "{moment:%Z}"' if is_repeated(moment) else ""
        sheet.write_datetime(row, position, moment.replace(tzinfo=None), self._format(_FORMATS["moment"] + which))
        return 17

    def _format(self, number_format: str) -> Any:
        if number_format not in self.formats:
            self.formats[number_format] = self.workbook.add_format({"num_format": number_format, "valign": "top"})
        return self.formats[number_format]
