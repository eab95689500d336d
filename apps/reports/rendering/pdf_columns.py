"""How wide the columns of a table are, judged by its headings and first rows. Lengths are points."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from apps.reports.content import Column, Row

from .cells import NUMBERS, shown
from .pdf_fonts import bold, regular

SIZE: Final = 8.0  # of the letters in cells
PADDING: Final = 4.0  # left and right of a cell's text
NOTHING: Final = "\N{EN DASH}"
_WIDEST: Final = 200.0  # a text column asks for no more
_LEAST: Final = 44.0  # and is happy with this


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    least: float  # below it words or numbers are cut
    natural: float  # nothing is wrapped
    grows: bool


def wishes(columns: Sequence[Column], sample: Sequence[Row], zone: ZoneInfo) -> list[Wish]:
    return [_wish(column, [row[place] for row in sample], zone) for place, column in enumerate(columns)]


def heading(column: Column, zone: ZoneInfo) -> str:
    return f"{column.heading} ({zone.key})" if column.kind == "moment" else column.heading


def widths(wanted: Sequence[Wish], breadth: float) -> list[float]:
    """The columns' widths, which fill `breadth`: all that is natural, else all that is least and a fair share."""
    natural = sum(wish.natural for wish in wanted)
    if natural <= breadth:
        growing = sum(wish.natural for wish in wanted if wish.grows)
        if not growing:
            return [wish.natural * breadth / natural for wish in wanted]
        return [wish.natural * (1 + (breadth - natural) / growing * wish.grows) for wish in wanted]
    least = sum(wish.least for wish in wanted)
    if least >= breadth:
        return [wish.least * breadth / least for wish in wanted]
    share = (breadth - least) / (natural - least)
    return [wish.least + (wish.natural - wish.least) * share for wish in wanted]


def _wish(column: Column, cells: Sequence[object], zone: ZoneInfo) -> Wish:
    said = regular().drawable
    texts = [said(shown(cell, column.kind, zone))[:400] for cell in cells]  # type: ignore[arg-type]
    natural = max((_width(line) for text in texts for line in text.split("\n")), default=0.0)
    head = bold().drawable(heading(column, zone))[:400]
    word = max((bold().width(word, SIZE) for word in head.split()), default=0.0) + 2 * PADDING
    asked = bold().width(head, SIZE) + 2 * PADDING
    if column.kind in NUMBERS or column.kind in ("date", "moment"):
        natural = max(natural, min(word, 90.0), 30.0)
        return Wish(least=natural, natural=natural, grows=False)
    longest = max((_width(word) for text in texts for word in text.split()), default=0.0)
    least = max(min(max(longest, word), 90.0), _LEAST)
    return Wish(least=least, natural=max(min(max(natural, asked), _WIDEST), least), grows=True)


def _width(text: str) -> float:
    return regular().width(text, SIZE) + 2 * PADDING + 1
