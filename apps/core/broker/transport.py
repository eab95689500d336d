"""The kombu transport: `leased://`, `leaseds://` (TLS), `leased+socket://` and `leased+sentinel://`."""

import ssl
import time
from collections.abc import Callable
from typing import Any, Final

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis
from kombu.utils.eventio import ERR, READ
from redis.exceptions import OutOfMemoryError, ReadOnlyError

from .channel import Channel, SentinelChannel, plain_address
from .intake import Intake

KOMBU_EVERY: Final = 0.1  # seconds between two looks at what kombu itself waits for
REFUSALS: Final = (OutOfMemoryError, ReadOnlyError)
TLS: Final = "leaseds"
SENTINEL: Final = "leased+sentinel"


def register() -> None:
    """Make the URL schemes known to kombu. Registering twice has no further effect."""
    for scheme in ("leased", TLS, SENTINEL):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"


class Poller(kombu_redis.MultiChannelPoller):
    """kombu's poller, which watches the intakes' descriptors too."""

    _fd_to_chan: dict[int, Any]
    _unregister_from_poll: Callable[[int], object]

    def __init__(self) -> None:
        super().__init__()
        self.intakes: tuple[Intake, ...] = ()
        self.loop: Any = None  # the event loop; None: somebody calls `get`

    def add_intake(self, intake: Intake) -> None:
        self.intakes = (*self.intakes, intake)
        if self.loop is not None:
            intake.call_soon = self.loop.call_soon

    def discard_intake(self, intake: Intake) -> None:
        for descriptor in intake.descriptors:
            self._forget(descriptor)
        self.intakes = tuple(other for other in self.intakes if other is not intake)

    def on_poll_start(self) -> None:
        super().on_poll_start()
        if self.loop is None:
            for intake in self.intakes:
                for descriptor in intake.descriptors:
                    self.poller.register(descriptor, READ | ERR)

    def on_readable(self, fileno: int) -> Any:
        for intake in self.intakes:
            if fileno in intake.descriptors:
                intake.notice(fileno)
                return intake.work_one() if self.loop is None else intake.work()
        if fileno not in self._fd_to_chan:
            self._forget(fileno)  # a connection that has ended while nothing was awaited on it
            return None
        return super().on_readable(fileno)

    def handle_event(self, fileno: int, event: int) -> Any:
        if fileno in self._fd_to_chan:
            return super().handle_event(fileno, event)
        return self.on_readable(fileno)

    def get(self, callback: Any, timeout: float | None = None) -> Any:
        """One event, for a consumer without an event loop."""
        for intake in self.intakes:
            if intake.work_one():
                return True
            due = None if intake.due_at is None else max(intake.due_at - time.monotonic(), 0.0)
            timeout = min(wait for wait in (timeout, due, 1.0) if wait is not None)
        return super().get(callback, timeout=timeout)

    def _forget(self, fileno: int) -> None:
        try:
            self._unregister_from_poll(fileno)
        except (KeyError, ValueError, OSError):
            return


class Transport(kombu_redis.Transport):
    """See docs/broker.md for what it promises."""

    Channel: Any = Channel
    # A server that takes no writes at present is waited for like one that is not reached.
    connection_errors = (*kombu_redis.Transport.connection_errors, *REFUSALS)
    implements = kombu_redis.Transport.implements.extend(batch_publish=False)

    def __init__(self, client: Any, **kwargs: Any) -> None:
        if client.transport_cls == SENTINEL or (client.hostname or "").startswith("sentinel://"):
            plain_address(client)
            self.Channel = SentinelChannel
            self.default_port = kombu_redis.SentinelTransport.default_port
        if client.ssl is True or (client.transport_cls == TLS and not client.ssl):
            client.ssl = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
        super().__init__(client, **kwargs)
        self._end_ticking: Callable[[], object] = lambda: None
        self.cycle: Any = Poller()

    @property
    def supports_batch_publish(self) -> bool:
        return False

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        self.cycle.loop = loop
        before = set(loop.on_tick)
        super().register_with_event_loop(connection, loop)
        (kombu_tick,) = loop.on_tick - before
        loop.on_tick.discard(kombu_tick)
        tick = Tick(self, loop, kombu_tick)
        loop.on_tick.add(tick)
        self._end_ticking = lambda: loop.on_tick.discard(tick)

    def close_connection(self, connection: Any) -> None:
        self._end_ticking()
        super().close_connection(connection)


class Tick:
    """What is done on each turn of the event loop. kombu registers all its descriptors each time; that can wait."""

    def __init__(self, transport: Transport, loop: Any, kombu_tick: Callable[[], object]) -> None:
        self._transport = transport
        self._poller: Poller = transport.cycle
        self._loop = loop
        self._kombu_tick = kombu_tick
        self._kombu_again_at = 0.0
        self._watched: list[int] = []
        self._timed: float | None = None

    def __call__(self) -> None:
        now = time.monotonic()
        if now >= self._kombu_again_at:
            self._kombu_again_at = now + KOMBU_EVERY
            self._kombu_tick()
        for intake in self._poller.intakes:
            if (descriptors := intake.descriptors) != self._watched:
                self._watched = descriptors
                for descriptor in descriptors:
                    self._loop.add_reader(descriptor, self._transport.on_readable, descriptor)
            if (due_at := intake.due_at) is not None and due_at != self._timed:
                self._timed = due_at
                self._loop.call_later(max(due_at - now, 0.0), intake.work)
                intake.wake_loop()  # which has made up its mind how long to sleep before this turn
