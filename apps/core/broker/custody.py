"""What this process has claimed and not yet settled, beyond the life of any connection.

Channels come and go with connections; a job that runs goes on, and its acknowledgement lands however late.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

import redis

from ..logs import get_logger
from ..owners import add_pulse, owner_id
from ..owners.heartbeat import STORE
from ..queues import QUEUES
from .attempts import Attempts
from .store import Claimed, Entry, MessageStore, ServerRefusesWritesError, SilentOwnerError
from .strays import Strays

ACKNOWLEDGED_AFTER: Final = 0.015  # seconds: acknowledgements travel together, and never more than 20 ms late
AGAIN_AFTER: Final = 0.5  # seconds until a server that does not answer is told again
AT_ONCE: Final = 1000  # leases told of in one command

log = get_logger(__name__)


class Consumer(Protocol):
    """Who takes messages out of this custody."""

    @property
    def queues(self) -> Sequence[str]: ...
    def poke(self) -> None:
        """A claim may bring something. Called from the heartbeat's thread."""

    def slot_freed(self) -> None:
        """A job has ended. Called from the thread in which it ended."""

    def give_up_stale(self) -> list[str]:
        """Leases of messages that were claimed ahead and have waited too long. Called from the heartbeat's thread."""

    def claimed_ahead(self) -> bool: ...

    def leases_ahead(self) -> list[str]:
        """Of messages that were claimed and not delivered yet."""


class Custody:
    """The leases of one process on one server."""

    def __init__(self, store: MessageStore, *, name: str, holds_engine_state: bool) -> None:
        """`name`: of the server, for logs. `holds_engine_state`: idempotency keys are kept there, too."""
        self.store = store
        self.pid = os.getpid()
        self.held: dict[str, Entry] = {}  # delivered to a consumer, not settled
        self._consumers: tuple[Consumer, ...] = ()  # replaced as a whole: several threads read it
        self._done: deque[str] = deque()  # acknowledged; the server does not know it yet
        self._done_since = 0.0
        self._returning: deque[str] = deque()  # not to be run here; likewise
        self.attempts = Attempts()
        self._told: tuple[str, ...] = ()  # by the claim that is on its way
        self._healed: deque[str] = deque()  # jobs in trouble that came to a good end
        self._claiming = threading.Lock()
        self._call = 0
        self._refused = ""
        self._strays = Strays()
        self._heartbeat = add_pulse(
            name,
            self.pulse,
            chore=self.settle_pending,
            farewell=self.leave,
            instead_of=STORE if holds_engine_state else None,
        )

    def enter(self, consumer: Consumer) -> None:
        self._consumers = (*self._consumers, consumer)

    def exit(self, consumer: Consumer) -> None:
        self._consumers = tuple(other for other in self._consumers if other is not consumer)

    def claim(self, most: int, queues: Sequence[str], *, was_idle: bool) -> Claimed | None:
        """Up to `most` messages of these queues, in strict order.

        Raises ServerRefusesWritesError, and redis.RedisError where the server is not reached: the next call then
        brings what this one may have claimed.
        """
        with self._claiming:
            done = self._told = tuple(_take(self._done))
            try:
                claimed = self._claim(most, queues, done, was_idle)
            except ServerRefusesWritesError:
                self.attempts.told(done)
                raise  # only after it has heard of what is done
            except redis.RedisError:
                self._done.extendleft(reversed(done))
                raise
            finally:
                self._told = ()
            self._call += 1
            self.attempts.told(done)
            return claimed

    def _claim(self, most: int, queues: Sequence[str], done: Sequence[str], was_idle: bool) -> Claimed | None:
        for last_try in (False, True):
            try:
                return self.store.claim(
                    owner_id(),
                    call=self._call + 1,
                    most=most,
                    queues=queues,
                    acknowledged=done,
                    notes=self.attempts.notes,
                    was_idle=was_idle,
                )
            except SilentOwnerError:
                if last_try:
                    raise
                self._heartbeat.beat()
        raise AssertionError("unreachable")

    def note(self, lease: str, note: str) -> None:
        """What counts of the attempt that is acknowledged next."""
        if lease in self.held:
            self.attempts.notes[lease] = note

    def acknowledge(self, lease: str) -> None:
        """The job is done. Any thread may call this."""
        if self.held.pop(lease, None) is not None:
            self.attempts.end(lease)
            self._remember(self._done, lease)
            for consumer in self._consumers:
                consumer.slot_freed()

    def look_after_ahead(self) -> None:
        """Messages wait for a slot: the heartbeat, which may sleep until its next beat, is to see how long."""
        self._heartbeat.poke()

    def forget_troubles(self, job: str) -> None:
        """The job has come to a good end after all."""
        self._healed.append(job)
        self._heartbeat.poke()

    def count_early(self, lease: str, note: str) -> None:
        """Of an attempt whose message was acknowledged before it began."""
        self.attempts.end(lease)
        lease = f"={lease}"
        self.attempts.notes[lease] = note
        self._remember(self._done, lease)

    def put_back(self, lease: str, event: str = "", note: str = "") -> None:
        """The message goes back to where it is claimed next. Without an `event` that may happen a moment later.

        `note`: of an attempt that has died.
        """
        if self.held.pop(lease, None) is None:
            return
        self.attempts.end(lease)
        self.attempts.told([lease])  # where its end was noted, but could not be told
        if not event:
            self._remember(self._returning, lease)
            return
        try:
            if note:
                self.store.put_back_lost(owner_id(), lease, event_line(event), note)
            else:
                self.store.put_back(owner_id(), [lease], event_line(event))
        except redis.RedisError as error:
            log.warning("broker.put_back_postponed", error=type(error).__name__)
            self._remember(self._returning, lease)

    def return_unread(self, leases: Sequence[str]) -> None:
        """Messages that never reached a consumer go back."""
        for lease in leases:
            self._remember(self._returning, lease)

    def quarantine(self, lease: str, record: str, note: str = "") -> None:
        """The message is set aside with all that is known of it; where that is not possible now, it goes back."""
        if self.held.pop(lease, None) is None:
            return
        self.attempts.end(lease)
        try:
            self.store.quarantine(owner_id(), lease, record, note)
        except redis.RedisError as error:
            log.warning("broker.quarantine_postponed", error=type(error).__name__)
            self._remember(self._returning, lease)
        for consumer in self._consumers:
            consumer.slot_freed()

    def delay(self, entry: Entry, due: float, *, seen: str = "") -> None:
        """The message waits until `due`; where that is not possible now, it goes back and is claimed again.

        `seen`: as for the store.
        """
        if self.held.pop(entry.lease, None) is None:
            return
        try:
            self.store.delay(owner_id(), entry.lease, queue=entry.queue, due=due, seen=seen)
        except redis.RedisError as error:
            log.warning("broker.delay_postponed", error=type(error).__name__)
            self._remember(self._returning, entry.lease)

    def park(self, entry: Entry, task: str) -> None:
        """The message waits until its task's fuse has ended; where that is not possible now, it goes back."""
        if self.held.pop(entry.lease, None) is None:
            return
        try:
            self.store.park(owner_id(), entry.lease, queue=entry.queue, task=task)
        except redis.RedisError as error:
            log.warning("broker.parking_postponed", error=type(error).__name__)
            self._remember(self._returning, entry.lease)

    def settle_pending(self) -> float | None:
        """Tell the server what it does not know yet. Returns the seconds until there is more to tell, or None."""
        for consumer in self._consumers:
            self._returning.extend(consumer.give_up_stale())
        try:
            self._tell(time.monotonic() - self._done_since >= ACKNOWLEDGED_AFTER)
        except redis.RedisError:
            return AGAIN_AFTER
        if self._done or any(consumer.claimed_ahead() for consumer in self._consumers):
            return ACKNOWLEDGED_AFTER
        return None

    def pulse(self, owners: Sequence[str]) -> None:
        """The heartbeat, as far as this server is concerned."""
        queues = [queue for consumer in self._consumers for queue in consumer.queues]
        every = {*queues, *(queue.name for queue in QUEUES)}
        begun = self.attempts.begun()
        beat = self.store.pulse(
            owners,
            queues=queues,
            all_queues=sorted(every),
            card=self.attempts.card(queues),
            begun=[part for lease, one in begun.items() for part in (lease, one.message.entry.queue, one.name)],
        )
        if not beat.refused:
            self.attempts.told_begun(begun)
        for owner, count in beat.rescued.items():
            log.warning("broker.rescued", owner=owner, jobs=count)
        if beat.refused and not self._refused:
            log.error("broker.refuses_writes", why=beat.refused)
        elif self._refused and not beat.refused:
            log.warning("broker.takes_writes_again")
        self._refused = beat.refused
        self._return_strays()
        if beat.worth_while:
            for consumer in self._consumers:
                consumer.poke()

    def _return_strays(self) -> None:
        strays = self._strays.look(
            self.store.server, lambda: self.store.leases(owner_id()), self._known_leases, self._call
        )
        if strays:
            log.warning("broker.strays_returned", jobs=len(strays))
            self.store.put_back(owner_id(), strays, event_line("forgotten"))

    def _known_leases(self) -> set[str]:
        """Also of what has ended and the server was not told yet. Other threads change these meanwhile."""
        ahead = [lease for consumer in self._consumers for lease in consumer.leases_ahead()]
        return {*list(self.held), *list(self._done), *self._told, *list(self._returning), *ahead}

    def leave(self) -> None:
        """The process ends: what is done is acknowledged, all else goes back."""
        if self.pid != os.getpid():
            return
        queues = [queue for consumer in self._consumers for queue in consumer.queues]
        self._tell(everything=True)
        self.held.clear()
        if returned := self.store.leave(owner_id(), queues):
            log.info("broker.returned", jobs=returned)

    def _remember(self, pending: deque[str], lease: str) -> None:
        if not (self._done or self._returning):
            self._done_since = time.monotonic()
            pending.append(lease)
            self._heartbeat.poke()
        else:
            pending.append(lease)

    def _tell(self, everything: bool) -> None:
        if everything:
            while done := _take(self._done):
                self._keep_unless(done, self._done, self._tell_done)
        while returning := _take(self._returning):
            self._keep_unless(returning, self._returning, lambda told: self.store.put_back(owner_id(), told))
        while healed := _take(self._healed):
            self._keep_unless(healed, self._healed, self.store.forget_troubles)

    def _tell_done(self, done: list[str]) -> None:
        self.store.acknowledge(owner_id(), done, self.attempts.notes)
        self.attempts.told(done)

    def _keep_unless(self, taken: list[str], pending: deque[str], tell: "Tell") -> None:
        try:
            tell(taken)
        except redis.RedisError:
            pending.extendleft(reversed(taken))
            raise


class Tell(Protocol):
    def __call__(self, told: list[str], /) -> object: ...


def event_line(event: str) -> str:
    """What is noted in a job's history: when, what, and in whose hands it was."""
    return f"{time.time():.6f} {event} {owner_id()}"


def _take(pending: deque[str]) -> list[str]:
    """Up to AT_ONCE, from the left; safe beside other threads that append and take."""
    taken: list[str] = []
    while len(taken) < AT_ONCE:
        try:
            taken.append(pending.popleft())
        except IndexError:
            break
    return taken
