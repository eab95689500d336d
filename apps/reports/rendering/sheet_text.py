"""Texts as the cells of a workbook take them."""

from typing import Final

from .texts import readable

LONGEST: Final = 32_767  # UTF-16 units, Excel's limit for a cell


def cell_text(text: str) -> str:
    """`text` without what XML refuses, cut off with "…" where it is too long."""
    text = readable(text)
    units = text.encode("utf-16-le")
    if len(units) <= 2 * LONGEST:
        return text
    return units[: 2 * (LONGEST - 1)].decode("utf-16-le", "ignore") + "…"
