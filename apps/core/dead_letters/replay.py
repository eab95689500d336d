"""Running jobs again that were given up.

A portion of letters is one transaction: they are marked, and their new messages are rows of the outbox, which the
relay publishes. So a replay may be killed at any point and started again, and each letter is replayed once.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models.functions import Now

from .. import steps
from ..broker.messages import Outgoing
from ..context import KEY_HEADER
from ..idempotency import durable, records
from ..outbox import rows
from ..queues import QUEUE_BY_NAME
from .arguments import check_arguments, shown_to_celery
from .models import DeadLetter
from .original import Arguments, Original, UnreadableMessageError
from .portions import portions, still_open
from .selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How letters are replayed."""

    release_key: bool = False  # the job's key is forgotten first, whoever holds it and whatever it answers
    arguments: Arguments | None = None  # in place of its own
    rate: float | None = None  # jobs a second; None: all at once. What waits for its moment waits on the broker


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What became of the letters."""

    count: int = 0
    unreadable: list[int] = field(default_factory=list)  # they can only be discarded
    # Open still: another job waits or runs under their unique key, or a letter of the same durable job is replayed.
    held_back: list[int] = field(default_factory=list)


def replay(selection: Selection, how: Replay | None = None, *, clock: Callable[[], float] = time.time) -> Replayed:
    """Replay the letters among these that are open now, the oldest first.

    A letter that somebody else is just replaying or discarding is left to them, and what fails again meanwhile to the
    next replay. Raises django.db.Error and, for keys, redis.RedisError.
    """
    how, done = how or Replay(), Replayed()
    began = clock()
    for portion in portions(selection.open_ids()):
        with transaction.atomic():
            found = list(still_open(portion).order_by("id").select_for_update(skip_locked=True))
            _replay(found, how, done, began)
    return done


def _replay(portion: Collection[DeadLetter], how: Replay, done: Replayed, began: float) -> None:
    messages: dict[str, tuple[DeadLetter, Outgoing]] = {}
    durable_jobs: set[str] = set()
    for letter in portion:
        place = done.count + len(messages)
        try:
            original = Original.read(bytes(letter.message))
            message = _message(letter, original, how, began, delay=place / how.rate if how.rate else 0.0)
        except UnreadableMessageError:
            done.unreadable.append(letter.pk)
            continue
        if message.durable and message.job in durable_jobs:  # a durable job has one row
            done.held_back.append(letter.pk)
            continue
        if message.durable:
            durable_jobs.add(message.job)
        _make_way(original, how)
        messages[message.tag] = letter, message
    not_written = {message.tag for message in rows.write([message for _, message in messages.values()])}
    written = [letter.pk for tag, (letter, _) in messages.items() if tag not in not_written]
    done.held_back += [letter.pk for tag, (letter, _) in messages.items() if tag in not_written]
    done.count += len(written)
    DeadLetter.objects.filter(pk__in=written).update(state=DeadLetter.State.REPLAYED, closed_at=Now())
    steps.reached("replay.written", letters=written)


def _message(letter: DeadLetter, original: Original, how: Replay, now: float, *, delay: float) -> Outgoing:
    if letter.queue not in QUEUE_BY_NAME:
        raise UnreadableMessageError(f"(there is no queue {letter.queue!r} any more)")
    shown: dict[str, str] = {}
    if how.arguments is not None:
        check_arguments(original.task, how.arguments)
        shown = shown_to_celery(original.task, how.arguments)
    return original.again(
        queue=letter.queue,
        list_name=letter.list_name,
        now=now,
        delay=delay,
        arguments=how.arguments,
        shown=shown,
    )


def _make_way(original: Original, how: Replay) -> None:
    """Before the row is written: what is released and then not replayed only runs again a little sooner."""
    key = original.header(KEY_HEADER)
    if key is None:
        return
    if how.release_key:
        records().release(key)
        durable.release(key)
    else:
        records().forgive(key, job=original.job)
