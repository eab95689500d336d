"""The hashes of a window hold its minutes, each once."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.metrics.spans import SIZES, TOTAL, Slot, cover, latest
from apps.core.metrics.windows import Window

NOW = st.floats(min_value=1_700_000_000, max_value=1_700_300_000)
EXACT = [Window.M5, Window.H1, Window.H24, Window.H72]


@given(st.sampled_from(EXACT), NOW)
def test_each_minute_of_the_window_counts_once_and_no_other(window: Window, now: float) -> None:
    found = cover(window, now)
    counted = Counter(
        minute
        for slot in found.slots
        for minute in range(slot.begins // 60, (slot.begins + SIZES[slot.unit]) // 60)
        if minute <= now // 60
    )
    assert found.begins // 60 == int(now - window.seconds) // 60
    assert counted == Counter(range(found.begins // 60, int(now) // 60 + 1))


@given(st.sampled_from(EXACT), NOW)
def test_no_window_needs_many_hashes_nor_one_that_is_gone(window: Window, now: float) -> None:
    found = cover(window, now)
    assert len(found.slots) <= 59 + 23 + 4
    assert all(now - slot.begins <= 72 * 3600 + 60 for slot in found.slots)
    assert all(slot.begins <= now for slot in found.slots)


def test_thirty_days_are_days_and_today_is_the_last() -> None:
    found = cover(Window.D30, 86400 * 20_000 + 5.5)
    assert [slot.place for slot in found.slots] == list(range(19_971, 20_001))
    assert found.begins == 86400 * 19_971


def test_the_latest_are_the_oldest_first() -> None:
    assert latest("m", 2, 125.0) == (Slot("m", 1), Slot("m", 2))


@pytest.mark.parametrize(
    ("slot", "minutes"), [(TOTAL, {59, 60, 119, 120}), (Slot("h", 1), {60, 119}), (Slot("m", 60), set())]
)
def test_what_is_open_belongs_to_the_sums_that_it_will_be_added_to(slot: Slot, minutes: set[int]) -> None:
    assert {minute for minute in (59, 60, 119, 120) if slot.will_contain(minute)} == minutes
