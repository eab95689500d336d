"""Small charts as SVG, made on the server: numbers in, shapes out. Colours are in pages.css, words come from callers.

The templates monitoring/sparkline.html and monitoring/bars.html draw what is here; nothing is ever marked as safe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 120
HEIGHT: Final = 24
MARGIN: Final = 1.5  # so that a line's stroke is not cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """A line without axes. `title` says in words what it shows, for those who do not see it."""

    title: str
    runs: tuple[str, ...]  # points of the polylines: one for each stretch without a gap
    dots: tuple[tuple[float, float], ...]  # values that stand alone between gaps
    guide: float | None  # height of a line to compare with, such as the SLA
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    title: str
    bars: tuple[Bar, ...]
    width: int = WIDTH
    height: int = HEIGHT


def sparkline(
    values: Sequence[float | None],
    *,
    title: str,
    guide: float | None = None,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Sparkline:
    """None among the values is a gap: what is not known is not drawn as 0."""
    known = [value for value in values if value is not None]
    top = max([*known, guide or 0.0, 0.0]) or 1.0
    step = (width - 2 * MARGIN) / max(len(values) - 1, 1)
    stretches: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            stretches.append([])
        else:
            stretches[-1].append((round(MARGIN + place * step, 1), _height(value, top, height)))
    return Sparkline(
        title=title,
        runs=tuple(" ".join(f"{x},{y}" for x, y in one) for one in stretches if len(one) > 1),
        dots=tuple(one[0] for one in stretches if len(one) == 1),
        guide=None if guide is None else _height(guide, top, height),
        width=width,
        height=height,
    )


def bars(counts: Sequence[int | None], *, title: str) -> Bars:
    """A bar for each count; none where it is unknown or 0."""
    top = max((count or 0 for count in counts), default=0) or 1
    step = WIDTH / max(len(counts), 1)
    return Bars(
        title=title,
        bars=tuple(
            Bar(
                x=round(place * step, 1),
                y=_height(count, top, HEIGHT),
                width=round(max(step - 1, 1), 1),
                height=round(HEIGHT - _height(count, top, HEIGHT), 1),
            )
            for place, count in enumerate(counts)
            if count
        ),
    )


def _height(value: float, top: float, height: int) -> float:
    """From above, as SVG counts."""
    return round(height - MARGIN - max(value, 0.0) / top * (height - 2 * MARGIN), 1)
