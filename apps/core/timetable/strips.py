"""A day as a strip of characters, readable without colour. A cell shows the busiest of its quarters of an hour."""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Final

from rich.text import Text

from .load import CELLS, Load

SHADES: Final = " ·░▒▓█"
STYLES: Final = ("", "cyan", "cyan", "green", "yellow", "bold red")  # of the shades
BOUNDS: Final = (30.0, 120.0, 300.0, 900.0)  # seconds of work in a quarter of an hour: the most of each shade
BARS: Final = " ▁▂▃▄▅▆▇█"
EIGHTHS: Final = len(BARS) - 1


def ruler(width: int) -> str:
    return "".join(f"{hour:02}".ljust(width // 4) for hour in range(0, 24, 6))


def ticks(width: int) -> str:
    """What stands between a ruler and a strip."""
    return ("┬" + "─" * (width // 4 - 1)) * 4


def strip(load: Load, width: int) -> Text:
    """The more work, the darker."""
    return _drawn((SHADES[shade], shade) for shade, _ in _cells(load, width))


def profile(load: Load, width: int, height: int) -> list[Text]:
    """The more work, the higher; the highest bar has `height` rows. The top row first."""
    cells = _cells(load, width)
    most = max(seconds for _, seconds in cells) or 1.0
    bars = [(shade, max(round(seconds / most * height * EIGHTHS), min(shade, 1))) for shade, seconds in cells]
    return [
        _drawn((BARS[min(max(bar - row * EIGHTHS, 0), EIGHTHS)], shade) for shade, bar in bars)
        for row in reversed(range(height))
    ]


def _drawn(cells: Iterable[tuple[str, int]]) -> Text:
    """Characters in the colours of their shades."""
    runs = groupby(cells, key=itemgetter(1))
    return Text.assemble(*(("".join(each for each, _ in run), STYLES[shade]) for shade, run in runs))


def _cells(load: Load, width: int) -> list[tuple[int, float]]:
    """Of each cell, the shade and the seconds of work."""
    quarters = [
        (1 + bisect_left(BOUNDS, seconds) if seconds or starts else 0, seconds)
        for seconds, starts in zip(load.seconds, load.starts, strict=True)
    ]
    size = CELLS // width
    return [max(quarters[start : start + size]) for start in range(0, CELLS, size)]
