"""The chart as SVG inside a page, with words for those who cannot see it."""

from collections.abc import Iterator
from html import escape
from typing import Final

from apps.reports.content import Chart

from .chart_picture import SIZE, Box, Picture, Rule, Word, picture_of, said
from .palette import TONES, fill, ink
from .texts import one_line

WIDTH: Final = 320.0  # narrow, so that letters keep their size on a phone
_LETTER: Final = 0.56  # of SIZE: a generous mean, since the reader's font is not known


def svg_of(chart: Chart) -> str | None:
    """The chart as an <svg> element; None where it shows nothing."""
    picture = picture_of(chart, width=WIDTH, measure=lambda text: len(text) * SIZE * _LETTER)
    return None if picture is None else "".join(_lines(picture, chart))


def rules_of_tones() -> str:
    """CSS for the colours of the series."""
    return "".join(
        f".s{tone}{{fill:{fill(tone)}}}.on{tone}{{fill:{ink(tone)}}}" for tone in range(len(TONES))
    )  # fmt: skip


def _lines(picture: Picture, chart: Chart) -> Iterator[str]:
    yield (
        f'<svg viewBox="0 0 {picture.width:.0f} {picture.height:.0f}" role="img"'
        ' aria-labelledby="chart-title chart-description">'
    )
    yield f'<title id="chart-title">{escape(one_line(chart.title))}</title>'
    yield f'<desc id="chart-description">{escape(_description(chart))}</desc>'
    yield from (_rule(rule) for rule in picture.rules)
    yield from (_box(box) for box in picture.boxes)
    yield from (_word(word) for word in picture.words)
    yield "</svg>"


def _rule(rule: Rule) -> str:
    kind = "axis" if rule.is_axis else "grid"
    return f'<path class="{kind}" d="M{rule.x:.1f} {rule.top:.1f}V{rule.bottom:.1f}"/>'


def _box(box: Box) -> str:
    return (
        f'<rect class="s{box.tone % len(TONES)}" x="{box.x:.1f}" y="{box.y:.1f}"'
        f' width="{box.width:.1f}" height="{box.height:.1f}"/>'
    )


def _word(word: Word) -> str:
    on = "" if word.on_tone is None else f"on{word.on_tone % len(TONES)}"
    kind = "faint" if word.is_faint else on
    look = (f' class="{kind}"' if kind else "") + ("" if word.anchor == "start" else f' text-anchor="{word.anchor}"')
    return f'<text x="{word.x:.1f}" y="{word.y:.1f}"{look}>{escape(word.text)}</text>'


def _description(chart: Chart) -> str:
    bars = (
        one_line(label)
        + ": "
        + ", ".join(f"{one_line(name)} {said(values[number], chart.unit)}" for name, values in chart.series)
        for number, label in enumerate(chart.labels)
    )
    return f"Bars. {'; '.join(bars)}."
