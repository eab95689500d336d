"""Where calls to a failing service are suspended: the seam between external calls and a breaker."""

from typing import Protocol


class CircuitBreaker(Protocol):
    """What a breaker must do for one service. Implementations share their state among all workers."""

    def before_call(self) -> None:
        """Raises CircuitOpenError while calls are suspended."""

    def succeeded(self) -> None: ...

    def failed(self, error: BaseException) -> None: ...


class AlwaysClosed:
    """The breaker of a service without one: every call is let through."""

    def before_call(self) -> None: ...

    def succeeded(self) -> None: ...

    def failed(self, error: BaseException) -> None: ...


def breaker_for(service: str) -> CircuitBreaker:
    """The breaker of `service`, a name of ours such as "mqtt" or a host name."""
    return AlwaysClosed()
