"""A breaker's options, and what it does while its server is down."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from apps.core.circuit_breaker import Admitted, Breaker, BreakerStore, breaker_for, park
from apps.core.circuit_breaker import breaker as module
from apps.core.circuit_breaker.breaker import PROBE_MARGIN
from apps.core.circuit_breaker.options import options_of
from apps.core.exceptions import DeclarationError
from apps.core.redis_client import connect


class Recorder:
    """A store that admits everybody as a probe, and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def admit(self, service: str, call: str, *, lease: float) -> Admitted:
        self.told.append(("admit", lease))
        return Admitted(call=call, era="")

    def succeed(self, service: str, admitted: Admitted) -> bool:
        self.told.append(("succeed", admitted.call))
        return True

    def fail(self, service: str, admitted: Admitted, options: Breaker) -> float:
        self.told.append(("fail", options))
        return 1.0


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(module, "breakers", lambda: made)
    return made


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """The address of a server that does not run."""
    client = connect("redis://127.0.0.1:1/0")
    monkeypatch.setattr(module, "breakers", lambda: BreakerStore(client))
    yield client
    client.close()


def test_a_service_without_options_of_its_own_has_the_defaults(settings: Any) -> None:
    settings.BGJOBS = {**settings.BGJOBS, "breakers": {"mqtt": Breaker(failures=2, open_for=60)}}
    assert options_of("mqtt") == Breaker(failures=2, open_for=60)
    assert options_of("maps.example.com") == Breaker(failures=5, open_for=300)


@pytest.mark.parametrize("failures", [0, -1])
def test_a_breaker_that_is_always_open_is_refused(failures: int) -> None:
    with pytest.raises(DeclarationError, match="failures >= 1"):
        Breaker(failures=failures)


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_breaker_that_is_never_tried_again_or_at_once_is_refused(seconds: float) -> None:
    with pytest.raises(DeclarationError, match="above 0 seconds"):
        Breaker(open_for=seconds)


def test_a_probes_lease_is_longer_than_its_call(recorder: Recorder) -> None:
    breaker_for("mqtt").ask(30)
    assert recorder.told == [("admit", 30 + PROBE_MARGIN)]


def test_every_call_has_a_name_of_its_own(recorder: Recorder) -> None:
    for _ in range(2):
        breaker_for("mqtt").ask(30).succeeded()
    assert len({told for told in recorder.told if told[0] == "succeed"}) == 2


def test_while_its_server_is_down_every_call_is_let_through_and_none_is_counted(
    nobody: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    permit = breaker_for("mqtt").ask(30)
    permit.succeeded()
    permit.failed()
    permit.withdraw()
    assert caplog.text.count("breaker.store_down") == 1
    with pytest.raises(redis.ConnectionError):
        park("mqtt", "job")


def test_what_a_call_says_while_the_server_is_down_is_not_heard_and_harms_nobody(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    permit = breaker_for("mqtt").ask(30)
    client = connect("redis://127.0.0.1:1/0")
    monkeypatch.setattr(module, "breakers", lambda: BreakerStore(client))
    permit.succeeded()
    permit.failed()
    permit.withdraw()
    assert caplog.text.count("breaker.store_down") == 3
    client.close()
