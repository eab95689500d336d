import signal
import threading
import time

import pytest

from apps.core.exceptions import ServiceTimeoutError
from apps.core.retry import FailureReason, classify
from apps.core.tasks import external_call as module
from apps.core.tasks.external_call import external_call


class Breaker:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def before_call(self) -> None:
        self.seen.append("before")

    def succeeded(self) -> None:
        self.seen.append("succeeded")

    def failed(self, error: BaseException) -> None:
        self.seen.append(f"failed {type(error).__name__}")


@pytest.fixture
def breaker(monkeypatch: pytest.MonkeyPatch) -> Breaker:
    made = Breaker()
    monkeypatch.setattr(module, "breaker_for", lambda service: made)
    return made


def test_a_call_that_answers_is_a_success_of_its_service(breaker: Breaker) -> None:
    with external_call("mqtt", timeout=5) as call:
        assert 0 < call.remaining <= 5
    assert breaker.seen == ["before", "succeeded"]


def test_a_call_that_hangs_ends_at_its_deadline_as_a_transient_error(breaker: Breaker) -> None:
    handler = signal.getsignal(signal.SIGALRM)
    with (
        pytest.raises(ServiceTimeoutError, match=r"mqtt did not answer within 0.05 s") as raised,
        external_call("mqtt", timeout=0.05),
    ):
        threading.Event().wait(30)
    assert classify(raised.value) == FailureReason.TRANSIENT
    assert breaker.seen == ["before", "failed ServiceTimeoutError"]
    assert signal.getsignal(signal.SIGALRM) is handler


def test_a_wrong_request_says_nothing_about_the_service(breaker: Breaker) -> None:
    with pytest.raises(ValueError, match="mine"), external_call("mqtt", timeout=5):
        raise ValueError("mine")
    assert breaker.seen == ["before"]


def test_a_call_around_another_keeps_its_own_deadline(breaker: Breaker) -> None:
    def calls() -> None:
        with external_call("outer", timeout=0.1):
            with external_call("inner", timeout=20):
                pass
            threading.Event().wait(30)

    with pytest.raises(ServiceTimeoutError, match="outer"):
        calls()


def test_a_call_inside_another_ends_with_it(breaker: Breaker) -> None:
    started = time.monotonic()
    with (
        pytest.raises(ServiceTimeoutError),
        external_call("outer", timeout=0.05),
        external_call("inner", timeout=60),
    ):
        threading.Event().wait(30)
    assert time.monotonic() - started < 20


def test_outside_the_main_thread_the_remaining_time_is_the_clients_to_use(breaker: Breaker) -> None:
    seen: list[object] = []

    def run() -> None:
        try:
            with external_call("mqtt", timeout=0.01) as call:
                while call.remaining:
                    pass
        except ServiceTimeoutError as error:
            seen.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert seen == [ServiceTimeoutError]


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_call_needs_a_timeout(timeout: float) -> None:
    with pytest.raises(ValueError, match="above 0 seconds"), external_call("mqtt", timeout=timeout):
        pass
