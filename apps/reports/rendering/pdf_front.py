"""What stands above the table of a PDF: title, facts, sums and the chart."""

from collections.abc import Iterator, Sequence
from typing import Final

from reportlab.lib.colors import Color, HexColor

from apps.reports.content import Chart, Content

from .chart_picture import SIZE, Picture, Word, picture_of
from .palette import fill, ink
from .pdf_fonts import Face, bold, regular
from .pdf_pages import ACCENT, FAINT, INK, LINE, Pages

CARD: Final = HexColor("#f3f6f9")
_GAP: Final = 14.0  # between columns of facts and between sums
_LINES: Final = 12  # of one value; more would push the table from the page

Pair = tuple[str, str]


def draw_front(pages: Pages, content: Content) -> None:
    pages.paragraph(content.type_name, bold(), 9, ACCENT)
    pages.paragraph(content.title, bold(), 20)
    pages.y -= 2
    pages.canvas.setFillColor(ACCENT)
    pages.canvas.rect(pages.left, pages.y - 4, 56, 2.5, stroke=0, fill=1)
    pages.y -= 18
    columns = 4 if pages.is_wide else 2
    for pairs in _rows(content.facts, columns):
        _draw_pairs(pages, pairs, columns=columns, face=regular(), size=9.5)
    pages.y -= 4
    for pairs in _rows(content.totals, 4):
        columns = max(3, len(content.totals[:4]))
        _draw_pairs(pages, pairs, columns=columns, face=bold(), size=12, card=CARD)
    if content.chart:
        _draw_chart(pages, content.chart)
    pages.y -= 8


def _rows(pairs: Sequence[Pair], columns: int) -> Iterator[Sequence[Pair]]:
    for start in range(0, len(pairs), columns):
        yield pairs[start : start + columns]


def _draw_pairs(
    pages: Pages, pairs: Sequence[Pair], *, columns: int, face: Face, size: float, card: Color | None = None
) -> None:
    """One row of names with their values below, on cards or without."""
    inset = 8.0 if card else 0.0
    width = (pages.breadth - _GAP * (columns - 1)) / columns
    values = [face.lines(pages.drawable(value, face), size, width - 2 * inset)[:_LINES] for _, value in pairs]
    height = 12 + max(map(len, values)) * size * 1.25 + 2 * inset
    if pages.room < height + 4:
        pages.turn()
    for position, ((name, _), lines) in enumerate(zip(pairs, values, strict=True)):
        x, y = pages.left + position * (width + _GAP), pages.y
        if card:
            pages.canvas.setFillColor(card)
            pages.canvas.roundRect(x, y - height, width, height, 4, stroke=0, fill=1)
        name = regular().fitted(pages.drawable(name, regular()), 7.5, width - 2 * inset)
        pages.write(x + inset, y - inset - 8, name, regular(), 7.5, FAINT)
        for number, line in enumerate(lines):
            base = y - inset - 11 - (number + 1) * size * 1.25 + size * 0.25
            pages.write(x + inset, base, line, face, size)
    pages.y -= height + (10 if card else 8)


def _draw_chart(pages: Pages, chart: Chart) -> None:
    picture = picture_of(chart, width=pages.breadth, measure=lambda text: _width(pages, text))
    if picture is None:
        return
    if pages.room < picture.height + 40:
        pages.turn()
    pages.y -= 8
    pages.paragraph(chart.title, bold(), 11)
    pages.y -= 6
    _paint(pages, picture, pages.left, pages.y)
    pages.y -= picture.height + 10


def _width(pages: Pages, text: str) -> float:
    return regular().width(pages.drawable(text, regular()), SIZE)


def _paint(pages: Pages, picture: Picture, left: float, top: float) -> None:
    canvas = pages.canvas
    for rule in picture.rules:
        canvas.setStrokeColor(FAINT if rule.is_axis else LINE)
        canvas.setLineWidth(0.8 if rule.is_axis else 0.5)
        canvas.line(left + rule.x, top - rule.top, left + rule.x, top - rule.bottom)
    for box in picture.boxes:
        canvas.setFillColor(HexColor(fill(box.tone)))
        canvas.rect(left + box.x, top - box.y - box.height, box.width, box.height, stroke=0, fill=1)
    for word in picture.words:
        text = regular().drawable(word.text)
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[word.anchor] * regular().width(text, SIZE)
        pages.write(left + word.x - shift, top - word.y, text, regular(), SIZE, _color(word))


def _color(word: Word) -> Color:
    if word.on_tone is not None:
        return HexColor(ink(word.on_tone))
    return FAINT if word.is_faint else INK
