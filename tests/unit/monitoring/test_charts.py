"""Charts are shapes out of numbers, and what is not known is not drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.monitoring.charts import HEIGHT, WIDTH, bars, sparkline

NUMBERS = st.lists(st.none() | st.floats(0, 1e9), max_size=100)


def test_a_gap_ends_a_line_and_a_lone_value_is_a_dot() -> None:
    chart = sparkline([1, 2, None, 3, None, 4, 5], title="t")
    assert len(chart.runs) == 2
    assert len(chart.dots) == 1
    assert chart.title == "t"


def test_the_highest_value_reaches_the_top_and_nothing_the_bottom() -> None:
    (line,) = sparkline([0, 10], title="t").runs
    (_, low), (_, high) = (point.split(",") for point in line.split())
    assert float(low) > float(high)
    assert float(high) < 2
    assert float(low) > HEIGHT - 2


def test_a_guide_above_all_values_is_still_in_the_picture() -> None:
    chart = sparkline([1, 1], title="t", guide=100, width=600, height=120)
    assert chart.guide is not None
    assert 0 < chart.guide < 2
    assert (chart.width, chart.height) == (600, 120)


@given(NUMBERS)
def test_nothing_is_drawn_outside_the_picture(values: list[float | None]) -> None:
    chart = sparkline(values, title="t")
    points = [tuple(map(float, point.split(","))) for line in chart.runs for point in line.split()]
    points += [(x, y) for x, y in chart.dots]
    assert len(points) == sum(value is not None for value in values)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)


@given(st.lists(st.none() | st.integers(0, 10**9), max_size=60))
def test_there_is_a_bar_for_each_count_above_0(counts: list[int | None]) -> None:
    chart = bars(counts, title="t")
    assert len(chart.bars) == sum(1 for count in counts if count)
    for bar in chart.bars:
        assert 0 <= bar.x <= WIDTH
        assert bar.y + bar.height == pytest.approx(HEIGHT, abs=0.2)
