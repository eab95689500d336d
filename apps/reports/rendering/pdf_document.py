"""A report as PDF on A4: what it is about, a chart, and the table with its headings on each page."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Final

from reportlab.lib.pagesizes import A4

from apps.reports.content import Content, Row

from .pdf_columns import widths, wishes
from .pdf_fonts import MISSING, regular
from .pdf_front import draw_front
from .pdf_pages import FAINT, MARGIN, Pages
from .pdf_table import Table

SAMPLE: Final = 200  # rows by which the columns are measured
END: Final = 32.0  # points for what stands below the table


def write(content: Content, rows: Iterator[Row], path: Path) -> None:
    sample = list(islice(rows, SAMPLE))
    wanted = wishes(content.columns, sample, content.zone)
    is_wide = sum(wish.natural for wish in wanted) > A4[0] - 2 * MARGIN
    pages = Pages(path, title=content.title, subject=content.type_name, is_wide=is_wide)
    draw_front(pages, content)
    table = Table(pages, content.columns, widths(wanted, pages.breadth), content.zone)
    count = table.draw(chain(sample, rows), end=END)
    _draw_end(pages, count)
    pages.save()


def _draw_end(pages: Pages, count: int) -> None:
    pages.y -= 8
    if count:
        said = f"End of the report: {count:,} row{'s' if count > 1 else ''}."
    else:
        said = "Nothing to report in this window."
    pages.paragraph(said, regular(), 8, FAINT)
    if pages.has_missing:
        pages.paragraph(
            f"{MISSING} stands for a character that this PDF cannot show; the other formats have it.",
            regular(),
            8,
            FAINT,
        )
