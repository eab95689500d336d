import signal
import threading
import time
from email.message import Message
from urllib.error import HTTPError

import pytest
from celery.exceptions import Ignore, Reject, Retry, SoftTimeLimitExceeded

from apps.core.exceptions import CircuitOpenError, ServiceTimeoutError
from apps.core.retry import FailureReason, classify
from apps.core.tasks import external_call as module
from apps.core.tasks.external_call import external_call
from apps.core.tasks.runner import RetryAfterRollback


class Breaker:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def ask(self, timeout: float) -> "Breaker":
        self.seen.append(f"asked for {timeout:g} s")
        return self

    def succeeded(self) -> None:
        self.seen.append("succeeded")

    def failed(self) -> None:
        self.seen.append("failed")

    def withdraw(self) -> None:
        self.seen.append("withdrawn")


@pytest.fixture
def breaker(monkeypatch: pytest.MonkeyPatch) -> Breaker:
    made = Breaker()
    monkeypatch.setattr(module, "breaker_for", lambda service: made)
    return made


def test_a_call_that_answers_is_a_success_of_its_service(breaker: Breaker) -> None:
    with external_call("mqtt", timeout=5) as call:
        assert 0 < call.remaining <= 5
    assert breaker.seen == ["asked for 5 s", "succeeded"]


def test_a_call_that_hangs_ends_at_its_deadline_as_a_transient_error(breaker: Breaker) -> None:
    handler = signal.getsignal(signal.SIGALRM)
    with (
        pytest.raises(ServiceTimeoutError, match=r"mqtt did not answer within 0.05 s") as raised,
        external_call("mqtt", timeout=0.05),
    ):
        threading.Event().wait(30)
    assert classify(raised.value) == FailureReason.TRANSIENT
    assert breaker.seen == ["asked for 0.05 s", "failed"]
    assert signal.getsignal(signal.SIGALRM) is handler


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (OSError("gone"), "failed"),
        (HTTPError("", 503, "", Message(), None), "failed"),
        (HTTPError("", 429, "", Message(), None), "failed"),
        (SoftTimeLimitExceeded(), "failed"),
        (Retry(exc=OSError("gone")), "failed"),
        (HTTPError("", 404, "", Message(), None), "withdrawn"),
        (ValueError("mine"), "withdrawn"),
        (Retry(exc=ValueError("mine")), "withdrawn"),
        (Retry(), "withdrawn"),
        (Ignore(), "withdrawn"),
        (Reject(), "withdrawn"),
        (CircuitOpenError(service="another"), "withdrawn"),
        (SystemExit(), "withdrawn"),
    ],
    ids=repr,
)
def test_a_service_is_blamed_for_what_it_did_not_do_and_for_nothing_else(
    breaker: Breaker, error: BaseException, outcome: str
) -> None:
    with pytest.raises(type(error)), external_call("mqtt", timeout=5):
        raise error
    assert breaker.seen == ["asked for 5 s", outcome]


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


def test_a_durable_jobs_retry_blames_the_service_for_its_cause(breaker: Breaker) -> None:
    with pytest.raises(Retry), external_call("mqtt", timeout=5):
        raise RetryAfterRollback from OSError("gone")
    assert breaker.seen == ["asked for 5 s", "failed"]


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_call_needs_a_timeout(timeout: float) -> None:
    with pytest.raises(ValueError, match="above 0 seconds"), external_call("mqtt", timeout=timeout):
        pass
