"""One call to a service outside: guarded by the service's breaker and bounded in time."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from celery.exceptions import Ignore, Reject, Retry

from ..circuit_breaker import breaker_for
from ..exceptions import CircuitOpenError, ServiceTimeoutError
from ..logs import get_logger
from ..retry import RETRIED, FailureReason, classify

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCall:
    service: str
    timeout: float  # seconds for the whole block
    deadline: float  # on time.monotonic()'s clock

    @property
    def remaining(self) -> float:
        """Seconds left, for the client's own timeout. Raises ServiceTimeoutError when none are."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise ServiceTimeoutError(f"{self.service} did not answer within {self.timeout:g} s")
        return left


@contextmanager
def external_call(service: str, timeout: float) -> Iterator[ExternalCall]:
    """Run a block as a call to `service`. Raises ServiceTimeoutError, CircuitOpenError, and what the block raises.

    In a process's main thread, where prefork workers run their jobs, the block is interrupted at its deadline.
    In other threads Python cannot do that: there the client must be given `call.remaining` as its timeout.
    """
    if not timeout > 0:
        raise ValueError(f"timeout must be above 0 seconds, not {timeout!r}")
    permit = breaker_for(service).ask(timeout)
    started = time.monotonic()
    call = ExternalCall(service=service, timeout=timeout, deadline=started + timeout)
    try:
        with _interrupted_at_deadline(call):
            yield call
    except BaseException as error:
        if _blames_service(error):
            permit.failed()
        else:
            permit.withdraw()
        log.warning(
            "external_call.failed",
            service=service,
            seconds=time.monotonic() - started,
            error=type(error).__name__,
        )
        raise
    permit.succeeded()


def _blames_service(error: BaseException | None) -> bool:
    """Whether the service did not do its part. A request that was wrong says nothing about that."""
    if isinstance(error, Retry):
        return _blames_service(error.exc or error.__cause__)  # the cause, where it waits for a rollback
    if not isinstance(error, Exception) or isinstance(error, Ignore | Reject | CircuitOpenError):
        return False  # the process ends, the task has decided, or another service's breaker is open
    return classify(error) in RETRIED | {FailureReason.TIMEOUT}


@contextmanager
def _interrupted_at_deadline(call: ExternalCall) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise ServiceTimeoutError(f"{call.service} did not answer within {call.timeout:g} s")

    outer_remaining, _ = signal.getitimer(signal.ITIMER_REAL)
    previous_handler = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, min(call.timeout, outer_remaining or call.timeout))
    started = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous_handler)
        if outer_remaining:  # a call around this one goes on with what is left of its time
            spent = time.monotonic() - started
            signal.setitimer(signal.ITIMER_REAL, max(outer_remaining - spent, 0.001))
