"""How reports look: one file out of a Content, in one of five formats.

Cells that are None are empty, never 0; moments are in the report's zone. What a cell, a fact or a heading says is
text from outside: no format takes it for a formula, a link or markup.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from apps.reports.content import Content, Row
from apps.reports.models import Format

from .rows import counted

__all__ = ["render"]


def render(
    content: Content,
    format: Format | str,  # noqa: A002 - what the field of the models is called
    path: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write `content` to `path`, row by row; call `progress(done, total)` every some hundred rows and at the end.

    Whatever is raised on the way, `path` is gone and everything is closed. Raises ValueError for an unknown format, a
    row that has not one cell for each column, and a moment without a zone.
    """
    write = _writer(Format(format))
    try:
        with closing(counted(content, progress)) as rows:
            write(content, rows, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _writer(format: Format) -> Callable[[Content, Iterator[Row], Path], None]:  # noqa: A002 - as above
    # Imported here: what makes PDF and XLSX is large, and most processes that know this app make no reports.
    match format:
        case Format.PDF:
            from .pdf_document import write
        case Format.XLSX:
            from .workbook import write
        case Format.CSV:
            from .csv_table import write
        case Format.HTML:
            from .html_page import write
        case Format.JSON:
            from .json_document import write
    return write
