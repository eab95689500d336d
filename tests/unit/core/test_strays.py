import pytest

from apps.core.broker import strays as module
from apps.core.broker.strays import APART, Strays


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def test_what_is_unknown_at_two_looks_is_a_stray(clock: Clock) -> None:
    strays = Strays()
    assert strays.look(1, lambda: {"3-1", "3-2"}, lambda: {"3-2"}, 3) == []
    clock.now += 1
    assert strays.look(1, lambda: {"3-1", "3-2"}, lambda: {"3-2"}, 3) == ["3-1"]


def test_two_looks_at_once_are_one(clock: Clock) -> None:
    """A heartbeat that was held up is followed by the next at once: what is on its way then is no stray."""
    strays = Strays()
    assert strays.look(1, lambda: {"3-1"}, set, 3) == []
    clock.now += APART / 2
    assert strays.look(1, lambda: {"3-1"}, set, 3) == []
    clock.now += APART
    assert strays.look(1, set, set, 3) == []
    clock.now += APART
    assert strays.look(1, lambda: {"3-1"}, set, 3) == []


def test_what_is_acknowledged_while_the_server_is_asked_is_no_stray(clock: Clock) -> None:
    strays, ours = Strays(), {"3-1"}

    def asked() -> set[str]:
        ours.clear()
        return {"3-1"}

    for _ in range(2):
        ours.add("3-1")
        assert strays.look(1, asked, lambda: set(ours), 3) == []
        clock.now += 1


def test_a_lease_of_a_claim_that_is_on_its_way_is_no_stray(clock: Clock) -> None:
    strays = Strays()
    for _ in range(2):
        assert strays.look(1, lambda: {"4-1"}, set, 3) == []
        clock.now += 1


def test_another_server_begins_anew(clock: Clock) -> None:
    strays = Strays()
    assert strays.look(1, lambda: {"3-1"}, set, 3) == []
    clock.now += 1
    assert strays.look(2, lambda: {"3-1"}, set, 3) == []
    clock.now += 1
    assert strays.look(2, lambda: {"3-1"}, set, 3) == ["3-1"]
