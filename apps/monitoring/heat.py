"""A day of an entry, by quarter of an hour: the more work, the darker."""

from dataclasses import dataclass
from typing import Final

from apps.core.timetable.load import CELLS, Load
from apps.core.timetable.strips import SHADES, strip

CELL: Final = 2  # width of a quarter of an hour
HEIGHT: Final = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    x: int
    shade: int  # from 1, the lightest


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    title: str
    cells: tuple[Cell, ...]  # of quarters in which something starts or runs
    ticks: tuple[int, ...]  # where 6, 12 and 18 o'clock are
    cell: int = CELL
    width: int = CELLS * CELL
    height: int = HEIGHT


def heat(load: Load | None) -> Heat | None:
    """None for an entry that has no place in the day."""
    if load is None:
        return None
    shades = [SHADES.index(character) for character in strip(load, CELLS).plain]
    return Heat(
        title=_title(load),
        cells=tuple(Cell(x=place * CELL, shade=shade) for place, shade in enumerate(shades) if shade),
        ticks=tuple(range(CELLS * CELL // 4, CELLS * CELL, CELLS * CELL // 4)),
    )


def _title(load: Load) -> str:
    busy = [place for place, seconds in enumerate(load.seconds) if seconds or load.starts[place]]
    if not busy:
        return "Nothing is due within the next days."
    most = max(busy, key=lambda place: (load.seconds[place], load.starts[place]))
    return f"Work expected by time of day, UTC: in {len(busy)} of {CELLS} quarters of an hour, most at {_time(most)}."


def _time(cell: int) -> str:
    return f"{cell // 4:02}:{cell % 4 * 15:02}"
