"""One look serves all who ask within a second."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from apps.core.metrics.windows import Window
from apps.monitoring import looking

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Window]]:
    """The windows of the snapshots that were taken."""
    found: list[Window] = []

    def take(*, now: datetime, window: Window) -> Any:
        found.append(window)
        return SimpleNamespace(at=now)

    monkeypatch.setattr(looking, "take", take)
    monkeypatch.setattr(looking, "verdict", lambda snapshot: SimpleNamespace(of=snapshot))
    monkeypatch.setattr(looking, "facts", lambda snapshot, verdict: {})
    monkeypatch.setattr(looking, "remember", lambda facts: None)
    looking.forget()
    yield found
    looking.forget()


def test_who_asks_within_a_second_sees_the_same(taken: list[Window]) -> None:
    first = looking.look(now=NOW)
    assert looking.look(now=NOW + timedelta(seconds=0.99)) is first
    assert looking.look(now=NOW + timedelta(seconds=1)) is not first
    assert taken == [Window.H1, Window.H1]


def test_each_window_is_a_look_of_its_own(taken: list[Window]) -> None:
    looking.look(now=NOW)
    looking.look(now=NOW, window=Window.M5)
    assert taken == [Window.H1, Window.M5]


def test_a_clock_that_was_set_back_does_not_keep_an_old_look(taken: list[Window]) -> None:
    looking.look(now=NOW)
    looking.look(now=NOW - timedelta(hours=1))
    assert len(taken) == 2


def test_of_many_who_ask_at_once_one_looks_and_the_others_wait(
    taken: list[Window], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, quick = Event(), Event(), looking.take

    def slow(**asked: Any) -> Any:
        begun.set()
        assert go_on.wait(10)
        return quick(**asked)

    monkeypatch.setattr(looking, "take", slow)
    with ThreadPoolExecutor(8) as pool:
        looks = [pool.submit(looking.look, now=NOW) for _ in range(8)]
        assert begun.wait(10)
        go_on.set()
        assert len({id(look.result()) for look in looks}) == 1
    assert len(taken) == 1
