"""Asking a service's breaker before a call, and telling it what came of the call."""

import uuid
from functools import cache
from typing import Final

import redis

from ..exceptions import CircuitOpenError
from ..logs import get_logger
from ..redis_client import new_store
from ..redis_client import store as redis_store
from ..steps import reached
from .options import options_of
from .store import Admitted, BreakerStatus, BreakerStore, Refused

# Seconds beyond its timeout after which a probe is taken for lost, as with a process that was killed.
PROBE_MARGIN: Final = 5.0

log = get_logger(__name__)


@cache
def breakers() -> BreakerStore:
    """The store of this process."""
    return BreakerStore(redis_store())


class Permit:
    """One call that was let through: exactly one of its methods is called when it has ended.

    A breaker protects and is no gate: while its server is down, every call is let through and none is counted.
    """

    def __init__(self, service: str, admitted: Admitted | None) -> None:
        self._service = service
        self._admitted = admitted  # None: nobody could be asked

    def succeeded(self) -> None:
        if self._admitted is None:
            return
        try:
            has_closed = breakers().succeed(self._service, self._admitted)
        except redis.RedisError as error:
            _log_store_down(self._service, error)
            return
        if has_closed:
            log.warning("breaker.closed", service=self._service)
            reached("breaker.closed", service=self._service)

    def failed(self) -> None:
        """The service did not do what was asked of it."""
        if self._admitted is None:
            return
        try:
            probe_at = breakers().fail(self._service, self._admitted, options_of(self._service))
        except redis.RedisError as error:
            _log_store_down(self._service, error)
            return
        if probe_at is not None:
            log.warning("breaker.opened", service=self._service, after_probe=self._admitted.is_probe)
            reached("breaker.opened", service=self._service, probe_at=probe_at)

    def withdraw(self) -> None:
        """The call ended in a way that says nothing about the service."""
        if self._admitted is None or not self._admitted.is_probe:
            return
        try:
            breakers().withdraw(self._service, self._admitted)
        except redis.RedisError as error:
            _log_store_down(self._service, error)


class ServiceBreaker:
    """The breaker of one service, shared by all workers."""

    def __init__(self, service: str) -> None:
        self._service = service

    def ask(self, timeout: float) -> Permit:
        """Ask for a call of at most `timeout` seconds. Raises CircuitOpenError while calls are suspended."""
        try:
            answer = breakers().admit(self._service, uuid.uuid4().hex, lease=timeout + PROBE_MARGIN)
        except redis.RedisError as error:
            _log_store_down(self._service, error)
            return Permit(self._service, None)
        if isinstance(answer, Refused):
            raise CircuitOpenError(
                f"Calls to {self._service} are suspended because it keeps failing.",
                service=self._service,
                probe_at=answer.probe_at,
            )
        if answer.is_probe:
            log.info("breaker.probe", service=self._service)
            reached("breaker.probe", service=self._service)
        return Permit(self._service, answer)


def breaker_for(service: str) -> ServiceBreaker:
    """The breaker of `service`, a name of ours such as "mqtt" or a host name."""
    return ServiceBreaker(service)


def park(service: str, job: str) -> float:
    """The moment, in seconds since the epoch, at which a refused job asks again. Raises redis.RedisError."""
    return breakers().park(service, job)


def look() -> tuple[BreakerStatus, ...]:
    """The breakers that are not closed, and those behind which jobs are parked. Raises redis.RedisError."""
    with new_store() as client:
        return BreakerStore(client).look()


def _log_store_down(service: str, error: redis.RedisError) -> None:
    log.warning("breaker.store_down", service=service, error=type(error).__name__)
