"""Histograms beside the plain list of what they count."""

import math
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.metrics.events import EDGES
from apps.core.metrics.histogram import Histogram

SECONDS = st.floats(min_value=0, max_value=2 * EDGES[-1]) | st.sampled_from(EDGES)


def histogram_of(values: list[float]) -> Histogram:
    buckets = [0] * (len(EDGES) + 1)
    for value in values:
        buckets[bisect_left(EDGES, value)] += 1
    return Histogram(edges=EDGES, buckets=tuple(buckets), sum_seconds=sum(values))


@given(st.lists(SECONDS, min_size=1), st.floats(min_value=0, max_value=1))
def test_a_percentile_is_in_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    found = histogram_of(values).percentile(share)
    true = sorted(values)[max(math.ceil(share * len(values)), 1) - 1]
    place = bisect_left(EDGES, true)
    assert found is not None
    if place == len(EDGES):
        assert found == EDGES[-1]
    else:
        lower = EDGES[place - 1] if place else 0.0
        assert lower <= found <= EDGES[place] * (1 + 1e-12)


@given(st.lists(SECONDS))
def test_what_is_counted_at_the_edges_is_exact(values: list[float]) -> None:
    histogram = histogram_of(values)
    true = [(edge, sum(value <= edge for value in values)) for edge in EDGES]
    assert histogram.cumulative() == true
    assert [(edge, histogram.within(edge)) for edge in EDGES] == true
    assert histogram.count == len(values)


@given(st.lists(SECONDS, min_size=1), st.floats(min_value=0, max_value=1), st.floats(min_value=0, max_value=1))
def test_a_larger_share_takes_no_less(values: list[float], one: float, other: float) -> None:
    histogram = histogram_of(values)
    low, high = histogram.percentile(min(one, other)), histogram.percentile(max(one, other))
    assert low is not None
    assert high is not None
    assert low <= high * (1 + 1e-12)


def test_values_of_a_bucket_lie_evenly_in_it() -> None:
    histogram = histogram_of([1.5] * 10)
    assert [histogram.percentile(share) for share in (0.1, 0.5, 1)] == pytest.approx([1.1, 1.5, 2.0])


def test_of_nothing_nothing_is_known() -> None:
    empty = histogram_of([])
    assert (empty.percentile(0.5), empty.mean, empty.count, empty.within(1)) == (None, None, 0, 0)


def test_a_share_beyond_one_is_an_error() -> None:
    with pytest.raises(ValueError, match="between 0 and 1, not 95"):
        histogram_of([1.0]).percentile(95)
