"""The way of messages from the server to a consumer: claim as many as there are free slots, hand over, wait."""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import redis
from celery.worker import state as worker_state

from ..logs import get_logger
from ..owners import owner_id
from .admission import Admission
from .custody import Custody
from .run_times import run_times
from .store import Entry, ServerRefusesWritesError
from .waiting import Waits

STALE_AFTER: Final = 0.1  # seconds that a message claimed ahead may wait for a slot here
SLOTS_WITHOUT_LIMIT: Final = 64  # messages in a consumer's hands where it sets no limit
ONE_TURN: Final = 0.05  # seconds after which the event loop gets its turn
REFUSED_FOR: Final = 1.0  # seconds until a server that takes no writes is asked again

log = get_logger(__name__)


class Intake:
    """One consumer's intake.

    It is hungry while a claim may bring something. Where a claim has brought less than was asked for, the server has
    noted that this process waits, and answers one of the waits when there is more.
    """

    def __init__(self, channel: Any, custody: Custody, connect: Callable[[], Any]) -> None:
        self._channel = channel
        self._custody = custody
        self._receivers: dict[str, Callable[[Any], object]] = {}
        self._ahead: deque[tuple[Entry, float]] = deque()  # claimed, not handed over, and since when
        self._hungry = True
        self._is_idle = False  # the server has noted that this process waits
        self._due_at: float | None = None  # monotonic: a watched delayed message is due
        self._refused_until = 0.0
        self._to_watch: tuple[str, ...] | None = None  # queues, as the last claim has said; None: it is done
        self._admission = Admission(channel, custody)
        # Of the event loop: calls a function in its thread, before all else of its next turn.
        self.call_soon: Callable[[Callable[[], object]], object] | None = None
        self._work_pending = False
        self._working_thread: int | None = None
        self._open = True
        store = custody.store
        self._waits = Waits(connect, wake_key=store.key("wake", owner_id()), prefix=store.prefix)
        self._poked, self._poke = socket.socketpair()
        self._wake_pending = False
        for end in (self._poked, self._poke):
            end.setblocking(False)
        custody.enter(self)

    @property
    def queues(self) -> tuple[str, ...]:
        """In strict order: the first is served first."""
        return tuple(self._receivers)

    def consume(self, queue: str, receiver: Callable[[Any], object]) -> None:
        """Hand the messages of this queue to `receiver`, after all queues that were named before."""
        self._receivers[queue] = receiver
        self._hungry = True
        self.wake_loop()

    def cancel(self, queue: str) -> None:
        """Take no more of this queue; what was claimed of it and not handed over goes back."""
        self._receivers.pop(queue, None)
        self._give_up(lambda entry, _: entry.queue == queue)
        try:
            self._custody.store.unwatch(owner_id(), queue)
        except redis.RedisError as error:  # whoever beats next sees to it
            log.warning("broker.unwatch_failed", queue=queue, error=type(error).__name__)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._receivers.clear()
            self._custody.exit(self)
            self._give_up(lambda *_: True)
            self._waits.close()
            self._poked.close()
            self._poke.close()

    # What the event loop, or a loop of one's own, calls.

    @property
    def descriptors(self) -> list[int]:
        """File descriptors to poll for `notice`."""
        return [self._poked.fileno(), *self._waits.descriptors] if self._open else []

    def notice(self, descriptor: int) -> None:
        """The descriptor is readable."""
        if descriptor == self._poked.fileno():
            with suppress(BlockingIOError):
                self._poked.recv(4096)
            self._wake_pending = False  # only now: a wake-up before this is answered by the work that follows
        else:
            self._waits.end(descriptor)
            self._hungry = True

    @property
    def due_at(self) -> float | None:
        """The monotonic moment at which `work` has to be called even if nothing becomes readable."""
        return self._due_at

    def work(self) -> bool:
        """Hand over what there is room for, and claim more where that may bring something.

        Returns whether anything was handed over. Raises redis.RedisError where the server is not reached.
        """
        if not self._receivers or self._working_thread is not None:
            return False
        self._working_thread = threading.get_ident()
        try:
            return self._work()
        finally:
            self._working_thread = None
            self._begin_waits()

    def _work(self) -> bool:
        began, handed_over = time.monotonic(), False
        if self._due_at is not None and began >= self._due_at:
            self._due_at, self._hungry = None, True
        while True:
            while self._ahead and self._free_slots() > 0:
                handed_over |= self._hand_over_next()
                if time.monotonic() - began > ONE_TURN:
                    self.wake_loop()
                    return handed_over
            wanted = self._wanted()
            if not self._hungry or time.monotonic() < self._refused_until or not (wanted or self._is_idle):
                return handed_over
            self._claim(wanted)  # of none: whoever waits beside this full process is to be woken instead

    def work_one(self) -> bool:
        """`work` for a consumer that takes one message at a time."""
        if self._due_at is not None and time.monotonic() >= self._due_at:
            self._due_at, self._hungry = None, True
        if not self._receivers or self._free_slots() <= 0:
            return False
        if not self._ahead and self._hungry and time.monotonic() >= self._refused_until:
            self._claim(1)
        self._begin_waits()
        return bool(self._ahead) and self._hand_over_next()

    def poke(self) -> None:
        """A claim may bring something. Any thread may call this."""
        self._hungry = True
        self._work_soon()

    def _work_soon(self) -> None:
        if self.call_soon is None:
            self.wake_loop()
        elif not self._work_pending:
            self._work_pending = True
            self.call_soon(self._work_pended)

    def _work_pended(self) -> None:
        self._work_pending = False  # first: a slot that is freed meanwhile is looked at again
        self.work()

    def wake_loop(self) -> None:
        """Let `notice` be called at once, in the loop's own thread."""
        if self._wake_pending:
            return
        self._wake_pending = True
        with suppress(OSError):  # it is closed
            self._poke.send(b"\0")

    def slot_freed(self) -> None:
        """Look for the next message before the event loop looks for anything else."""
        if self._working_thread != threading.get_ident():  # a solo worker runs its jobs inside `work`
            self._work_soon()

    def claimed_ahead(self) -> bool:
        return bool(self._ahead)

    def leases_ahead(self) -> list[str]:
        return [entry.lease for entry, _ in tuple(self._ahead)]

    def give_up_stale(self) -> list[str]:
        """Called from the heartbeat's thread: each message is taken by one thread, here or in `_hand_over_next`."""
        stale: list[str] = []
        oldest = time.monotonic() - STALE_AFTER
        while True:
            try:
                entry, since = self._ahead.pop()
            except IndexError:
                return stale
            if since > oldest:
                self._ahead.append((entry, since))
                return stale
            stale.append(entry.lease)

    # Steps.

    def claim_one(self, queue: str) -> Any:
        """The next message of one queue, or None."""
        claimed = self._custody.claim(1, [queue], was_idle=False)
        if claimed is None or not claimed.entries:
            return None
        (entry,) = claimed.entries
        self._custody.held[entry.lease] = entry
        return self._admission.admit(entry)

    def _free_slots(self) -> int:
        slots = self._channel.qos.prefetch_count or SLOTS_WITHOUT_LIMIT
        # A task that acknowledges early still occupies its slot.
        return int(slots) - max(len(self._custody.held), len(worker_state.reserved_requests))

    def _wanted(self) -> int:
        """How many messages to claim: one per free slot, and ahead only in portions that are worth a round trip."""
        free = self._free_slots()
        ahead = run_times.read_ahead(self._channel.qos.prefetch_count or 1)
        missing = max(free, 0) + ahead - len(self._ahead)
        return 0 if free <= 0 and missing <= ahead // 2 else max(missing, 0)

    def _claim(self, wanted: int) -> None:
        try:
            claimed = self._custody.claim(wanted, self.queues, was_idle=self._is_idle)
        except (ServerRefusesWritesError, redis.ResponseError) as error:
            self._refused_until = time.monotonic() + REFUSED_FOR
            log.warning("broker.claim_refused", why=str(error))
            return
        if claimed is None:
            return
        try:
            self._admission.learn(claimed)
        except redis.RedisError:
            self._custody.return_unread([entry.lease for entry in claimed.entries])
            raise
        now = time.monotonic()
        self._ahead.extend((entry, now) for entry in claimed.entries)
        if len(self._ahead) > self._free_slots():
            self._custody.look_after_ahead()
        self._hungry = len(claimed.entries) >= wanted
        self._is_idle = not self._hungry
        if self._is_idle:
            self._due_at = None if claimed.next_due is None else now + max(claimed.next_due - claimed.now, 0.0)
            self._to_watch = claimed.watched

    def _begin_waits(self) -> None:
        """After what was claimed has been handed over, which must not wait for it."""
        if self._to_watch is not None and self._open:
            watched, self._to_watch = self._to_watch, None
            self._waits.begin(watched)

    def _hand_over_next(self) -> bool:
        try:
            entry, _ = self._ahead.popleft()
        except IndexError:  # the heartbeat's thread was faster
            return False
        receiver = self._receivers.get(entry.queue)
        self._custody.held[entry.lease] = entry
        if receiver is None:
            self._custody.put_back(entry.lease)
            return False
        try:
            message = self._admission.admit(entry)
        except redis.RedisError:  # the server could not be asked about its job
            self._custody.put_back(entry.lease)
            raise
        if message is None:
            return False
        receiver(message)
        return True

    def _give_up(self, which: Callable[[Entry, float], bool]) -> None:
        kept = []
        while self._ahead:
            try:
                entry, since = self._ahead.popleft()
            except IndexError:
                break
            if which(entry, since):
                self._custody.return_unread([entry.lease])
            else:
                kept.append((entry, since))
        self._ahead.extendleft(reversed(kept))
