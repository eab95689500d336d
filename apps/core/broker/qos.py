"""Acknowledgements: kombu's channel hands them to the custody, which outlives it."""

from collections import OrderedDict
from functools import cached_property
from typing import Any

from kombu.transport import virtual

from ..metrics import events
from . import quarantine, run_notes
from .custody import Custody
from .store import Entry

REJECTED = "rejected"


class LeasedQoS(virtual.QoS):
    """Takes the place of kombu's bookkeeping of unacknowledged messages; what is held is under a lease already."""

    def __init__(self, channel: Any, prefetch_count: int = 0) -> None:
        # Not kombu's: it would give back at exit what may still run.
        self.channel = channel
        self.prefetch_count = prefetch_count
        self._delivered: OrderedDict[str, Any] = OrderedDict()

    @cached_property
    def _custody(self) -> Custody:
        """Taken with the first message that needs it: who only listens to replies holds nothing."""
        channel: Any = self.channel
        custody: Custody = channel.custody
        return custody

    def can_consume(self) -> bool:
        return True  # of queues whose messages need no acknowledgement; the intake counts the others itself

    def append(self, message: Any, delivery_tag: str) -> None:
        """It has been recorded when it was claimed."""

    def get(self, delivery_tag: str) -> Entry:
        return self._custody.held[delivery_tag]

    def ack(self, delivery_tag: str) -> None:
        self._custody.acknowledge(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Back to the head of its queue, which counts as a delivery; or, without `requeue`, to the quarantine."""
        if requeue:
            self._custody.put_back(delivery_tag, event=REJECTED)
        elif (entry := self._custody.held.get(delivery_tag)) is not None:
            note = run_notes.of_message(events.REJECTED, queue=entry.queue)
            self._custody.quarantine(delivery_tag, quarantine.record(entry, REJECTED), note)

    def restore_unacked(self, *_: Any, **__: Any) -> None:
        """Likewise."""

    def restore_unacked_once(self, *_: Any, **__: Any) -> None:
        """A lost connection gives nothing back: its jobs run on. A process that ends does, in `Custody.leave`."""

    def restore_visible(self, *_: Any, **__: Any) -> None:
        """Time alone never gives a message back."""
