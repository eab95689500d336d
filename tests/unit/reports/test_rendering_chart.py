"""The geometry of charts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.reports.content import Chart
from apps.reports.rendering.chart_picture import MOST, SIZE, Picture, picture_of
from apps.reports.rendering.palette import TONES

WIDTH = 500.0


def measure(text: str) -> float:
    return len(text) * SIZE * 0.5


def drawn(chart: Chart) -> Picture:
    picture = picture_of(chart, width=WIDTH, measure=measure)
    assert picture is not None
    return picture


def chart(*values: float, unit: str = "") -> Chart:
    return Chart(title="t", labels=tuple(map(str, range(len(values)))), series=(("s", values),), unit=unit)


def ticks(picture: Picture) -> list[str]:
    return [word.text for word in picture.words if word.is_faint]


def test_a_bar_is_as_long_as_its_value_says() -> None:
    _, first, second = drawn(chart(10, 20)).boxes
    assert second.width == pytest.approx(2 * first.width)


def test_the_parts_of_a_bar_follow_each_other() -> None:
    stacked = Chart(title="t", labels=("a",), series=(("x", (3.0,)), ("y", (4.0,)), ("z", (5.0,))))
    *_, x, y, z = drawn(stacked).boxes
    assert x.x + x.width == pytest.approx(y.x)
    assert y.x + y.width == pytest.approx(z.x)


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ((3.0,), "", ["0", "1", "2", "3"]),
        ((97.0,), "", ["0", "20", "40", "60", "80", "100"]),
        ((12.0,), "%", ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]),
        ((0.5,), "min", ["0 min", "0.1 min", "0.2 min", "0.3 min", "0.4 min", "0.5 min"]),
        ((-4.0, 6.0), "", ["-4", "-2", "0", "2", "4", "6"]),
        ((0.0,), "", ["0", "1"]),
        ((2_500_000.0,), "", ["0", "500,000", "1,000,000", "1,500,000", "2,000,000", "2,500,000"]),
    ],
)
def test_the_axis_has_round_numbers(values: tuple[float, ...], unit: str, expected: list[str]) -> None:
    assert [text.replace("\xa0", " ") for text in ticks(drawn(chart(*values, unit=unit)))] == expected


def test_more_bars_than_can_be_told_apart_are_said_to_be_left_out() -> None:
    picture = drawn(chart(*range(MOST + 10)))
    assert f"The first {MOST} of {MOST + 10} are drawn." in [word.text for word in picture.words]


def test_a_series_with_too_few_values_is_refused() -> None:
    with pytest.raises(ValueError, match="2 labels and 1"):
        picture_of(Chart(title="t", labels=("a", "b"), series=(("s", (1.0,)),)), width=WIDTH, measure=measure)


def luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("fill", "ink"), TONES)
def test_words_on_colours_can_be_read(fill: str, ink: str) -> None:
    dark, light = sorted((luminance(fill), luminance(ink)))
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.1, level AA


@given(
    values=st.lists(st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), min_size=2, max_size=2), max_size=50),
    label=st.text(max_size=80),
)
@settings(max_examples=100, deadline=None)
def test_nothing_is_drawn_outside_the_picture(values: list[list[float]], label: str) -> None:
    series = tuple((name, tuple(value[place] for value in values)) for place, name in enumerate((label, "two")))
    picture = picture_of(Chart(title="t", labels=(label,) * len(values), series=series), width=WIDTH, measure=measure)
    if picture is None:
        return
    for box in picture.boxes:
        assert box.x >= -0.01
        assert box.x + box.width <= WIDTH + 0.01
        assert box.y >= -0.01
        assert box.y + box.height <= picture.height
    for word in picture.words:
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[word.anchor] * measure(word.text)
        assert word.x - before >= -0.01
        assert word.x - before + measure(word.text) <= WIDTH + 0.01
        assert word.y <= picture.height
