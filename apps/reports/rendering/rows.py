"""The rows of a report on their way into a file."""

from collections.abc import Callable, Generator
from contextlib import closing, nullcontext
from typing import Final

from apps.reports.content import Content, Row

EVERY: Final = 500  # rows between two calls of `progress`


def counted(content: Content, progress: Callable[[int, int], None] | None) -> Generator[Row]:
    """The rows, read once, with NaN and infinity as None; says how many are done, and closes their source.

    Raises ValueError for a row that has not one cell for each column.
    """
    width = len(content.columns)
    done = 0
    source = content.rows()
    with closing(source) if isinstance(source, Generator) else nullcontext():
        for row in source:
            if len(row) != width:
                raise ValueError(f"Row {done + 1} has {len(row)} cells for {width} columns.")
            yield row
            done += 1
            if progress is not None and done % EVERY == 0:
                progress(done, max(done, content.row_count))
    if progress is not None:
        progress(done, done)
