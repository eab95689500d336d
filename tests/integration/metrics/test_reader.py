"""Reading the hashes that the scripts write, here written by hand."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from apps.core.broker.store import MessageStore
from apps.core.metrics.events import field
from apps.core.metrics.reader import Window, per_minute, read, totals

NOW = datetime(2026, 11, 23, 12, 40, 30, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SIZES = {"m": 60, "h": 3600, "d": 86400}

Happen = Callable[..., None]


@pytest.fixture
def happen(store: MessageStore) -> Happen:
    """Counts something, as the scripts do: in the hashes of its minute, hour and day, and in that of all time."""

    def count(name: str, at: datetime, number: int = 1) -> None:
        seconds = int((at - EPOCH).total_seconds())
        for unit, size in SIZES.items():
            key = store.key("counts", unit, str(seconds // size))
            store.client.hincrby(key, name, number)
            store.client.expire(key, 3600, nx=True)
        store.client.hincrby(store.key("counts", "total"), name, number)

    return count


STARTED = field("started", "email", task="send mail")


@pytest.mark.parametrize("window", [Window.M5, Window.H1, Window.H24, Window.H72])
@pytest.mark.parametrize("now", [NOW, NOW.replace(minute=3), NOW.replace(minute=59, second=59), NOW.replace(hour=0)])
def test_a_window_holds_its_minutes_and_no_other(
    store: MessageStore, happen: Happen, window: Window, now: datetime
) -> None:
    begins = (now - timedelta(seconds=window.seconds)).replace(second=0)
    for inside in (begins, begins + timedelta(minutes=1), begins + timedelta(hours=window.seconds / 7200), now):
        happen(STARTED, inside)
    for outside in (1, 60, 7200):
        happen(STARTED, begins - timedelta(seconds=outside), 100)
    found = read(store, window, now=now)
    assert found.count("started") == 4
    assert found.span_seconds == (now - begins).total_seconds()


def test_thirty_days_are_days(store: MessageStore, happen: Happen) -> None:
    happen(STARTED, NOW)
    happen(STARTED, NOW.replace(hour=0, minute=0, second=0) - timedelta(days=29))
    happen(STARTED, NOW.replace(hour=23) - timedelta(days=30))
    assert read(store, Window.D30, now=NOW).count("started") == 2


def test_what_is_no_number_or_none_of_ours_is_ignored(store: MessageStore, happen: Happen) -> None:
    happen(STARTED, NOW)
    key = store.key("counts", "m", str(int((NOW - EPOCH).total_seconds()) // 60))
    store.client.hset(
        key,
        mapping={field("failed", "email", task="a"): "many", "nonsense": 3, "\udcff".encode("utf-8", "replace"): 1},
    )
    found = read(store, Window.M5, now=NOW)
    assert (found.count("started"), found.count("failed"), found.tasks()) == (1, 0, [("send mail", "email")])


def test_minutes_and_hours_come_each_for_itself_the_oldest_first(store: MessageStore, happen: Happen) -> None:
    happen(STARTED, NOW - timedelta(minutes=1), 3)
    happen(STARTED, NOW, 2)
    minutes = per_minute(store, 3, now=NOW)
    assert [(at.minute, found.count("started"), found.span_seconds) for at, found in minutes] == [
        (38, 0, 60),
        (39, 3, 60),
        (40, 2, 30),
    ]


def test_totals_are_those_of_all_time(store: MessageStore, happen: Happen) -> None:
    happen(STARTED, NOW - timedelta(days=300), 5)
    happen(STARTED, NOW)
    found = totals(store)
    assert (found.count("started"), found.span_seconds) == (6, math.inf)
