"""Spans of time on the command line."""

from argparse import ArgumentTypeError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.durations import LONGEST, UNITS, in_words, seconds_in


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("1d2h3m4s", 93784),
        ("0.5s", 0.5),
        ("1.5h", 5400),
        (" 30M ", 1800),
        ("366d", LONGEST),
    ],
)
def test_a_span_is_read_in_seconds(text: str, seconds: float) -> None:
    assert seconds_in(text) == seconds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("30", "without a unit"),
        ("1.5", "without a unit"),
        ("", "is no span of time; write it as in 90s"),
        ("m", "is no span of time"),
        ("30x", "is no span of time"),
        ("-5m", "is no span of time"),
        ("30m1h", "is no span of time"),
        ("1h 30m", "is no span of time"),
        ("infs", "is no span of time"),
        ("٣m", "is no span of time"),
        ("0s", "between a moment and a year"),
        ("367d", "between a moment and a year"),
    ],
)
def test_what_is_no_span_is_refused_with_the_way_to_write_it(text: str, says: str) -> None:
    with pytest.raises(ArgumentTypeError, match=says) as refused:
        seconds_in(text)
    assert "write it as in 90s" in str(refused.value)


@given(st.dictionaries(st.sampled_from("dhms"), st.integers(1, 90), min_size=1))
def test_a_sum_of_spans_is_the_sum_of_their_seconds(counts: dict[str, int]) -> None:
    text = "".join(f"{counts[unit]}{unit}" for unit in UNITS if unit in counts)
    assert seconds_in(text) == sum(count * UNITS[unit] for unit, count in counts.items())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0s"), (7.44, "7.4s"), (9.0, "9s"), (59.9, "59s"), (125, "2m 5s"), (5400, "1h 30m"), (273600, "3d 4h")],
)
def test_a_span_in_words_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
