"""What a process remembers of minutes that are over is what they hold, wherever the window has moved to."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.core.broker.store import MessageStore
from apps.core.metrics.events import field
from apps.core.metrics.finished import remembered
from apps.core.metrics.numbers import Numbers
from apps.core.metrics.reader import Window, read

WINDOWS = (Window.M5, Window.H1, Window.H24, Window.H72, Window.D30)
NOON = datetime(2026, 11, 23, 12, 30, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    remembered.forget()
    yield
    remembered.forget()


@pytest.fixture
def filled(store: MessageStore) -> MessageStore:
    """Some counts in each minute, hour and day around NOON."""
    chance, pipeline = random.Random(11), store.client.pipeline(transaction=False)
    for unit, size, back, ahead in (("m", 60, 74 * 60, 90), ("h", 3600, 76, 3), ("d", 86400, 32, 2)):
        now = int(NOON.timestamp()) // size
        for place in range(now - back, now + ahead):
            counts = {field("started", "email", "-", f"task {number}"): chance.randrange(9) for number in range(3)}
            pipeline.hset(store.key("counts", unit, str(place)), mapping=counts)
    pipeline.execute()
    return store


def told(numbers: Numbers) -> dict[str, int]:
    return numbers.by("started", "task")


def anew(store: MessageStore, window: Window, now: datetime) -> dict[str, int]:
    """As one sees it who remembers nothing."""
    return told(read(MessageStore(store.client, store.prefix), window, now=now))


@pytest.mark.parametrize("window", WINDOWS)
def test_who_remembers_sees_what_others_see_as_time_goes_on_and_back(filled: MessageStore, window: Window) -> None:
    for minutes in (0, 0, 1, 2, 5, 28, 29, 30, 31, 58, 80, 3, -40, -39, 0):
        now = NOON + timedelta(minutes=minutes)
        assert told(read(filled, window, now=now)) == anew(filled, window, now), minutes


def test_what_is_still_counted_into_is_read_each_time(filled: MessageStore) -> None:
    key = filled.key("counts", "h", str(int(NOON.timestamp()) // 3600))
    before = read(filled, Window.H1, now=NOON).count("started")
    filled.client.hincrby(key, field("started", "email", "-", "task 0"), 5)
    assert read(filled, Window.H1, now=NOON).count("started") == before + 5


def test_what_is_over_is_not_sent_again(filled: MessageStore) -> None:
    def sent() -> int:
        before: dict[str, Any] = filled.client.info("stats")
        read(filled, Window.H72, now=NOON)
        return int(filled.client.info("stats")["total_net_output_bytes"] - before["total_net_output_bytes"])

    first = sent()
    assert sent() < first / 2


@pytest.mark.parametrize("minutes", [0, 1])
def test_a_server_that_has_lost_its_data_is_not_remembered(filled: MessageStore, minutes: int) -> None:
    assert read(filled, Window.H1, now=NOON).count("started")
    filled.client.delete(*filled.client.keys(f"{filled.key('counts')}:*"))
    assert read(filled, Window.H1, now=NOON + timedelta(minutes=minutes)).count("started") == 0
