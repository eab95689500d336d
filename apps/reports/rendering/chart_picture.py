"""A chart as rectangles, lines and words, which PDF and HTML each paint in their way.

Lengths are points; y grows downwards. Each label has one horizontal bar, its series one behind the other, since
labels are names of sites and people and want room.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from apps.reports.content import Chart

from .texts import one_line

MOST: Final = 40  # bars in one picture; more cannot be told apart
SIZE: Final = 8.0  # of the letters
_AXIS: Final = 14.0  # height of the numbers below
_LEGEND_LINE: Final = 14.0
_SWATCH: Final = 8.0
_TICKS: Final = 5

Measure = Callable[[str], float]  # the width of a text in points at SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A part of a bar, or a colour's place in the legend."""

    x: float
    y: float
    width: float
    height: float
    tone: int  # the series' number


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A vertical line."""

    x: float
    top: float
    bottom: float
    is_axis: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    x: float
    y: float  # of the base line
    text: str
    anchor: Literal["start", "middle", "end"] = "start"
    is_faint: bool = False
    on_tone: int | None = None  # the series on whose colour it stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    width: float
    height: float
    boxes: tuple[Box, ...]
    rules: tuple[Rule, ...]
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where values stand: from `low` to `high` in steps of `step`, between `left` and `right`."""

    low: float
    high: float
    step: float
    left: float
    right: float

    def x(self, value: float) -> float:
        return self.left + (value - self.low) / (self.high - self.low) * (self.right - self.left)

    @property
    def ticks(self) -> Iterator[float]:
        for number in range(round((self.high - self.low) / self.step) + 1):
            yield self.low + number * self.step


def picture_of(chart: Chart, *, width: float, measure: Measure) -> Picture | None:
    """The picture of `chart`; None where it shows nothing. Raises ValueError for a series with too few values."""
    if not (chart.labels and chart.series):
        return None
    bars = [_known(values) for values in zip(*(values for _, values in chart.series), strict=True)]
    if len(bars) != len(chart.labels):
        raise ValueError(f"The chart has {len(chart.labels)} labels and {len(bars)} values.")
    labels, bars = chart.labels[:MOST], bars[:MOST]
    legend = _legend(chart, width, measure)
    top = max((word.y for word in legend[1]), default=0.0) + _LEGEND_LINE * 0.7
    pitch = 18.0 if len(labels) <= 12 else 13.0
    bottom = top + pitch * len(labels)
    scale = _scale(chart, bars, labels, width, measure)
    body = _bars(bars, scale, top, pitch, chart.unit, measure)
    words = [*legend[1], *body[1], *_names(labels, scale.left, top, pitch, measure)]
    if len(chart.labels) > MOST:
        more = f"The first {MOST} of {len(chart.labels)} are drawn."
        words.append(Word(x=0, y=bottom + 2 * _AXIS, text=more, is_faint=True))
    rules = [
        Rule(x=scale.x(tick), top=top, bottom=bottom, is_axis=abs(tick) < scale.step / 2) for tick in scale.ticks
    ]
    words += [
        Word(x=scale.x(tick), y=bottom + 11, text=said(tick, chart.unit), anchor="middle", is_faint=True)
        for tick in scale.ticks
    ]
    return Picture(
        width=width,
        height=bottom + _AXIS * (2.3 if len(chart.labels) > MOST else 1),
        boxes=(*legend[0], *body[0]),
        rules=tuple(rules),
        words=tuple(words),
    )


def said(value: float, unit: str) -> str:
    """A value in words: "1,234.5 min"."""
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text
    return f"{text}\N{NO-BREAK SPACE}{one_line(unit)}" if unit else text


def shortened(text: str, width: float, measure: Measure) -> str:
    """`text` in one line, cut off with "…" where it is wider than `width`."""
    text = one_line(text)[:200]
    if measure(text) <= width:
        return text
    while text and measure(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


def _known(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(value if math.isfinite(value) else 0.0 for value in values)


def _scale(
    chart: Chart, bars: list[tuple[float, ...]], labels: tuple[str, ...], width: float, measure: Measure
) -> Scale:
    values = [value for bar in bars for value in bar]
    high = max((sum(value for value in bar if value > 0) for bar in bars), default=0.0)
    low = min((sum(value for value in bar if value < 0) for bar in bars), default=0.0)
    if chart.unit == "%" and low == 0 and high <= 100:
        high = 100.0
    step = _step((high - low) or 1.0, whole=all(value == int(value) for value in values))
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step or step
    names = max(measure(one_line(label)[:200]) for label in labels)
    numbers = max(measure(said(sum(bar), chart.unit)) for bar in bars) if len(chart.series) == 1 and bars else 0.0
    last = measure(said(high, chart.unit)) / 2
    return Scale(
        low=low,
        high=high,
        step=step,
        left=max(min(names, width * 0.35) + 8, measure(said(low, chart.unit)) / 2),
        right=width - max(numbers + 6, last),
    )


def _step(span: float, *, whole: bool) -> float:
    """A step that divides `span` into about five: 1, 2 or 5 times a power of ten; for whole numbers at least 1."""
    rough = span / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return max(step, 1.0) if whole else step


def _legend(chart: Chart, width: float, measure: Measure) -> tuple[list[Box], list[Word]]:
    boxes, words = [], []
    x, y = 0.0, SIZE
    for tone, (name, _) in enumerate(chart.series):
        text = shortened(name, width - 16, measure)
        needed = _SWATCH + 4 + measure(text) + 14
        if x and x + needed > width:
            x, y = 0.0, y + _LEGEND_LINE
        boxes.append(Box(x=x, y=y - _SWATCH + 1, width=_SWATCH, height=_SWATCH, tone=tone))
        words.append(Word(x=x + _SWATCH + 4, y=y, text=text))
        x += needed
    return boxes, words


def _names(labels: tuple[str, ...], left: float, top: float, pitch: float, measure: Measure) -> Iterator[Word]:
    for number, label in enumerate(labels):
        text = shortened(label, left - 6, measure)
        yield Word(x=left - 6, y=top + (number + 0.5) * pitch + SIZE * 0.36, text=text, anchor="end")


def _bars(
    bars: list[tuple[float, ...]], scale: Scale, top: float, pitch: float, unit: str, measure: Measure
) -> tuple[list[Box], list[Word]]:
    boxes, words = [], []
    height = pitch * 0.66
    for number, bar in enumerate(bars):
        y = top + number * pitch + (pitch - height) / 2
        base = y + height / 2 + SIZE * 0.36
        for tone, (start, end) in _stacked(bar):
            x, width = min(scale.x(start), scale.x(end)), abs(scale.x(end) - scale.x(start))
            if width:
                boxes.append(Box(x=x, y=y, width=width, height=height, tone=tone))
            text = said(bar[tone], unit)
            if len(bar) > 1 and width > measure(text) + 6:
                words.append(Word(x=x + width / 2, y=base, text=text, anchor="middle", on_tone=tone))
        if len(bar) == 1:
            words.append(Word(x=scale.x(max(bar[0], 0)) + 4, y=base, text=said(bar[0], unit)))
    return boxes, words


def _stacked(bar: tuple[float, ...]) -> Iterator[tuple[int, tuple[float, float]]]:
    """Each series' number, and from where to where its part goes; negative ones go the other way."""
    for tone, value in enumerate(bar):
        before = sum(other for other in bar[:tone] if (other < 0) == (value < 0))
        yield tone, (before, before + value)
