"""The table of a PDF, drawn row by row, so that no more than one row is in memory."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from reportlab.lib.colors import HexColor

from apps.reports.content import Cell, Column, Row

from .cells import NUMBERS, shown
from .pdf_columns import NOTHING, PADDING, SIZE, heading
from .pdf_fonts import Face, bold, regular
from .pdf_pages import ACCENT, INK, Pages

LEADING: Final = 10.0  # from one base line to the next
_AIR: Final = 3.5  # above and below the text of a row
_ZEBRA: Final = HexColor("#f1f5f9")
_WHITE: Final = HexColor("#ffffff")
_SMALLEST: Final = 4.0  # letters of a number that is wider than its column: a number in two lines would be read wrong

Lines = list[str]


class Table:
    def __init__(self, pages: Pages, columns: Sequence[Column], widths: Sequence[float], zone: ZoneInfo) -> None:
        self._pages = pages
        self._columns = columns
        self._widths = widths
        self._zone = zone
        self._lefts = [pages.left + sum(widths[:place]) for place in range(len(widths))]
        self._head = [
            bold().lines(pages.drawable(heading(column, zone), bold()), SIZE, width - 2 * PADDING)[:6]
            for column, width in zip(columns, widths, strict=True)
        ]
        self._head_height = max(map(len, self._head), default=1) * LEADING + 2 * _AIR
        room = pages.top - pages.bottom - self._head_height
        self._lines_of_a_page = int((room - 2 * _AIR) // LEADING)
        # Names of sites and states come again and again.
        self._broken = lru_cache(maxsize=4_096)(self._break)

    def draw(self, rows: Iterator[Row], *, end: float) -> int:
        """Draw the headings and all rows, with `end` points left below the last. Returns how many rows they were."""
        if self._pages.room < self._head_height + 4 * (LEADING + 2 * _AIR):
            self._pages.turn()
        self._draw_head()
        count = 0
        row = next(rows, None)
        while row is not None:
            following = next(rows, None)
            self._draw_row(row, is_tinted=count % 2 == 1, below=end if following is None else 0)
            row = following
            count += 1
        return count

    def _draw_head(self) -> None:
        pages, canvas = self._pages, self._pages.canvas
        bottom = pages.y - self._head_height
        canvas.setFillColor(ACCENT)
        canvas.rect(pages.left, bottom, pages.breadth, self._head_height, stroke=0, fill=1)
        self._write(self._head, self._head_height, heads=True)
        pages.y = bottom

    def _draw_row(self, row: Row, *, is_tinted: bool, below: float) -> None:
        cells = [self._lines(cell, place) for place, cell in enumerate(row)]
        most = max(map(len, cells), default=1)
        is_long = most > self._lines_of_a_page  # it begins here and goes on at the head of the next page
        if not self._fits(3 if is_long else most, below):
            self._turn()
        while not self._fits(most):
            part = max(1, int((self._pages.room - 2 * _AIR) // LEADING))
            self._draw_lines([lines[:part] for lines in cells], part, is_tinted)
            cells, most = [lines[part:] for lines in cells], most - part
            self._turn()
        self._draw_lines(cells, most, is_tinted)

    def _fits(self, lines: int, below: float = 0) -> bool:
        return lines * LEADING + 2 * _AIR + below <= self._pages.room

    def _turn(self) -> None:
        self._pages.turn()
        self._draw_head()

    def _draw_lines(self, cells: list[Lines], most: int, is_tinted: bool) -> None:
        pages, canvas = self._pages, self._pages.canvas
        height = most * LEADING + 2 * _AIR
        if is_tinted:
            canvas.setFillColor(_ZEBRA)
            canvas.rect(pages.left, pages.y - height, pages.breadth, height, stroke=0, fill=1)
        self._write(cells, height, heads=False)
        pages.y -= height

    def _write(self, cells: list[Lines], height: float, *, heads: bool) -> None:
        face = bold() if heads else regular()
        text = self._pages.canvas.beginText()
        text.setFont(face.name, SIZE, LEADING)
        text.setFillColor(_WHITE if heads else INK)
        for place, lines in enumerate(cells):
            # Headings stand at the bottom, next to what they head.
            first = (height - len(lines) * LEADING - _AIR) if heads else _AIR
            y = self._pages.y - first - SIZE
            if self._columns[place].kind in NUMBERS:
                self._write_right(text, lines, place, y, face)
                continue
            for number, line in enumerate(lines):
                text.setTextOrigin(self._lefts[place] + PADDING, y - number * LEADING)
                text.textOut(line)
        self._pages.canvas.drawText(text)

    def _write_right(self, text: Any, lines: Lines, place: int, y: float, face: Face) -> None:
        right, width = self._lefts[place] + self._widths[place] - PADDING, self._widths[place] - 2 * PADDING
        for number, line in enumerate(lines):
            used = face.width(line, SIZE)
            size = SIZE if used <= width else max(_SMALLEST, SIZE * width / used)
            text.setTextOrigin(right - used * size / SIZE, y - number * LEADING)
            if size == SIZE:
                text.textOut(line)
                continue
            text.setFont(face.name, size, LEADING)
            text.textOut(line)
            text.setFont(face.name, SIZE, LEADING)

    def _lines(self, cell: Cell, place: int) -> Lines:
        column = self._columns[place]
        said = NOTHING if cell is None else shown(cell, column.kind, self._zone)
        return self._broken(said, place) if len(said) < 100 else self._break(said, place)

    def _break(self, said: str, place: int) -> Lines:
        drawn = self._pages.drawable(said, regular())
        if self._columns[place].kind in NUMBERS and len(drawn) < 60:
            return [drawn]
        return regular().lines(drawn, SIZE, self._widths[place] - 2 * PADDING)
