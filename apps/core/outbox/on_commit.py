"""Publishing what a transaction has enqueued, once it is committed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary

import redis
from django.db import transaction

from .. import steps
from ..broker.messages import Outgoing
from . import rows
from .outlet import Outlet


@dataclass(slots=True, kw_only=True)
class Enqueued:
    """What an enqueuer is told of its job."""

    job: str  # its own, or the one that waits or runs under the same unique key
    committed: bool = True  # False while the transaction is open, and for ever where it is rolled back


@dataclass(slots=True)
class _Batch:
    """What was enqueued in one transaction of this thread and awaits its end."""

    outlet: Outlet
    messages: dict[str, Outgoing] = field(default_factory=dict)  # by tag
    first: Callable[[], object] | None = None  # what Django calls at the commit, for the first of them
    in_savepoints: bool = False  # some were enqueued in one, and may have been rolled back with it


_batches: Final[WeakKeyDictionary[Any, _Batch]] = WeakKeyDictionary()


def publish_on_commit(outlet: Outlet, message: Outgoing, enqueued: Enqueued) -> None:
    """Publish a row of the current transaction when that is committed; all of its rows at once."""
    database = rows.database()
    batch = _batches.get(database)
    is_over = batch is None or not any(call is batch.first for _, call, _ in database.run_on_commit)
    if batch is None or is_over:  # committed, or rolled back
        batch = _batches[database] = _Batch(outlet)
    batch.messages[message.tag] = message
    batch.in_savepoints |= bool(database.savepoint_ids)
    committed = partial(_committed, batch, message, enqueued)
    batch.first = batch.first or committed
    transaction.on_commit(committed, robust=True)


def _committed(batch: _Batch, message: Outgoing, enqueued: Enqueued) -> None:
    """Publish all of a transaction when the first of its messages hears of the commit."""
    if rows.database().in_atomic_block:
        return  # a test that pretends
    enqueued.committed = True
    if message.tag not in batch.messages:
        return
    steps.reached("outbox.committed", job=message.job)
    messages, batch.messages = batch.messages, {}
    # This one was not rolled back, or it would not be heard of; of the others, their rows tell.
    unsure = batch.in_savepoints and len(messages) > 1
    survivors = rows.existing(messages) if unsure else set(messages)
    publish_rows(batch.outlet, [one for tag, one in messages.items() if tag in survivors])


def publish_rows(outlet: Outlet, messages: Sequence[Outgoing]) -> None:
    """Publish committed rows, or leave them to the relay."""
    try:
        outlet.publish(messages, have_rows=True)
    except redis.RedisError:
        return
    steps.reached("outbox.published", jobs=[one.job for one in messages])
    # The relay removes rows; these stand in the way of the next job with their key.
    if passed := [one.tag for one in messages if one.unique is not None and not one.durable]:
        rows.discard(passed)
