"""What becomes of a message that an enqueuer has made: a row, a publication, or both.

In a transaction it is a row of that transaction, published when the transaction has been committed. Outside one it is
published at once, and becomes a row where the broker does not take it. A durable job's message is a row in any case.
The relay publishes what has a row and was not published.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Final

import redis
from django.db import Error as DatabaseError
from kombu.exceptions import OperationalError

from .. import steps
from ..broker.messages import Outgoing
from . import rows
from .on_commit import Enqueued, publish_on_commit, publish_rows
from .outlet import Outlet

KEY_CHANGED_HANDS: Final = 5  # times, between two statements; then its jobs are told apart when they run


_collected: Final[ContextVar[list[tuple[Outgoing, Enqueued]] | None]] = ContextVar("bgjobs_collected", default=None)


def enqueue(outlet: Outlet, message: Outgoing, *, again: bool = False) -> Enqueued:
    """Take charge of a message. Raises kombu's OperationalError where neither the broker nor the database takes it.

    Inside a transaction, raises django.db.Error as any other statement would. `again`: the job exists already, and is
    retried or has to wait, so that nothing may take its place.
    """
    enqueued = _enqueue(outlet, message, again)
    if again and enqueued.job != message.job:
        return _enqueue(outlet, replace(message, unique=None), again)
    return enqueued


def _enqueue(outlet: Outlet, message: Outgoing, again: bool) -> Enqueued:
    collected = _collected.get()
    if collected is not None:
        enqueued = Enqueued(job=message.job)
        collected.append((message, enqueued))
        return enqueued
    if _in_transaction():
        return _write_in_transaction(outlet, message)
    if message.durable:
        return _write_and_publish(outlet, message, again)
    return _publish_one(outlet, message)


@contextmanager
def enqueueing_together(outlet: Outlet) -> Iterator[None]:
    """Take charge, at the end of the block, of all that is enqueued in it: one statement for each thousand.

    Where the block raises, nothing of it is enqueued. Raises as `enqueue` does.
    """
    collected: list[tuple[Outgoing, Enqueued]] = []
    token = _collected.set(collected)
    try:
        yield
    finally:
        _collected.reset(token)
    _enqueue_all(outlet, collected)


def _enqueue_all(outlet: Outlet, collected: Sequence[tuple[Outgoing, Enqueued]]) -> None:
    by_tag = {message.tag: enqueued for message, enqueued in collected}
    messages = [message for message, _ in collected]
    in_transaction = _in_transaction()
    with_rows = messages if in_transaction else [one for one in messages if one.durable]
    for other in rows.write(with_rows):  # their unique keys are taken
        by_tag[other.tag].job = _written(outlet, other) or other.job
    with_rows = [one for one in with_rows if by_tag[one.tag].job == one.job]
    if not in_transaction:
        publish_rows(outlet, with_rows)
        _publish_or_write(outlet, [one for one in messages if not one.durable], by_tag)
    elif rows.database().in_atomic_block:
        for message in with_rows:
            by_tag[message.tag].committed = False
            publish_on_commit(outlet, message, by_tag[message.tag])


def _in_transaction() -> bool:
    database = rows.database()
    # The second is for code that commits by itself; asking Django would connect.
    return database.in_atomic_block or (database.connection is not None and not database.autocommit)


def _write_in_transaction(outlet: Outlet, message: Outgoing) -> Enqueued:
    holder = outlet.holder_of(message)
    if holder not in (None, message.job) or (holder := _written(outlet, message)) is not None:
        return Enqueued(job=str(holder))
    enqueued = Enqueued(job=message.job, committed=not rows.database().in_atomic_block)
    if not enqueued.committed:
        publish_on_commit(outlet, message, enqueued)
    return enqueued


def _write_and_publish(outlet: Outlet, message: Outgoing, again: bool) -> Enqueued:
    try:
        holder = _written(outlet, message)
    except DatabaseError as error:
        if again:  # it has a row, with an earlier message: should the broker lose this one, that is as good
            return _publish_one(outlet, message)
        why = f"it is durable, and the database ({type(error).__name__}) takes no rows now"
        raise OperationalError(f"The job is not enqueued: {why}; enqueue it again.") from error
    if holder is not None:
        return Enqueued(job=holder)
    publish_rows(outlet, [message])
    return Enqueued(job=message.job)


def _publish_one(outlet: Outlet, message: Outgoing) -> Enqueued:
    enqueued = Enqueued(job=message.job)
    _publish_or_write(outlet, [message], {message.tag: enqueued})
    return enqueued


def _publish_or_write(outlet: Outlet, messages: Sequence[Outgoing], by_tag: Mapping[str, Enqueued]) -> None:
    try:
        published = outlet.publish(messages, have_rows=False)
    except redis.RedisError as error:
        _write_instead(outlet, messages, by_tag, error)
        return
    for message, one in zip(messages, published, strict=True):
        by_tag[message.tag].job = one.in_favour_of or message.job


def _write_instead(
    outlet: Outlet, messages: Sequence[Outgoing], by_tag: Mapping[str, Enqueued], error: redis.RedisError
) -> None:
    """Some of them may have arrived nevertheless: the relay finds out by their tags."""
    try:
        for other in rows.write(messages):
            by_tag[other.tag].job = _written(outlet, other) or other.job
    except DatabaseError as second:
        why = f"neither the broker ({type(error).__name__}) nor the database ({type(second).__name__}) takes jobs now"
        raise OperationalError(f"The job is not enqueued: {why}; enqueue it again.") from second


def _written(outlet: Outlet, message: Outgoing) -> str | None:
    """Write a row; where another job has its unique key, return that job."""
    for _ in range(KEY_CHANGED_HANDS):
        if not rows.write([message]):
            steps.reached("outbox.written", job=message.job)
            return None
        assert message.unique is not None  # noqa: S101 - see rows.write: nothing else stands in the way
        holder = rows.holder(message.unique)
        if holder is None:
            continue  # it has just ended
        if holder.durable or not outlet.knows(holder.tag):
            return holder.job
        rows.discard([holder.tag])  # published, and left over by a process that died: it may have ended long ago
    rows.write([replace(message, unique=None)])
    return None
