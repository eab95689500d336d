"""The relay: publishes what has a row and is not on the broker. Any number of relays may run."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models.functions import Now

from .. import steps
from ..broker.messages import Outgoing
from ..broker.store import MessageStore
from ..logs import get_logger
from . import rows
from .outlet import PORTION as AT_ONCE

PORTION: Final = 500  # rows in one transaction
ENQUEUERS_TURN: Final = timedelta(seconds=0.5)  # in which the enqueuer may publish a row itself

if TYPE_CHECKING:
    from .models import OutboxMessage

log = get_logger(__name__)


class Relay:
    """One relay's work on the outbox. Every method raises redis.RedisError and django.db.Error."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store
        self._verified = 0  # id of the last durable row that was looked for on the broker
        self._cursor = b"0"

    def work(self) -> bool:
        """A turn of each duty. Returns whether there may be more to do at once."""
        more = self.publish_pending()
        more = self.republish_lost() > 0 or more
        self.tidy()
        return more

    def publish_pending(self) -> bool:
        """Publish a portion of committed rows that their enqueuers did not; remove those that need not be kept."""
        with transaction.atomic():
            pending = list(
                rows.table()
                .select_for_update(skip_locked=True)
                .filter(published_at=None, created_at__lt=Now() - ENQUEUERS_TURN)
                .order_by("id")[:PORTION]
            )
            self._publish(pending)
            done = [row.id for row in pending if not row.durable]
            rows.table().filter(id__in=done).delete()
            kept = [row.id for row in pending if row.durable]
            if kept:
                rows.table().filter(id__in=kept).update(published_at=Now())
        if tags := [row.tag for row in pending if not row.durable]:
            self._store.forget_published(tags)
        return len(pending) == PORTION

    def republish_lost(self) -> int:
        """Look for a portion of the durable jobs on the broker, and publish again those that it has lost.

        Returns how many. Whether a job that is not there has been done meanwhile is told by its row, under lock.
        """
        published = list(
            rows.table()
            .filter(durable=True, id__gt=self._verified, published_at__isnull=False)
            .order_by("id")
            .values_list("id", "tag")[:PORTION]
        )
        self._verified = published[-1][0] if len(published) == PORTION else 0
        there = self._are_published([tag for _, tag in published])
        lost = [row_id for (row_id, _), is_there in zip(published, there, strict=True) if not is_there]
        if not lost:
            return 0
        with transaction.atomic():
            still = list(rows.table().select_for_update(skip_locked=True).filter(id__in=lost))
            self._publish(still)
        if still:
            log.warning("outbox.republished", jobs=len(still), why="the broker has lost them")
        return len(still)

    def tidy(self) -> None:
        """Let the broker forget tags whose rows are gone."""
        self._cursor, tags = self._store.published_tags(self._cursor, PORTION)
        if gone := set(tags) - rows.existing(tags):
            self._store.forget_published(sorted(gone))

    def _publish(self, found: "Sequence[OutboxMessage]") -> None:
        there = self._are_published([row.tag for row in found])
        missing = [_outgoing(row) for row, is_there in zip(found, there, strict=True) if not is_there]
        for start in range(0, len(missing), AT_ONCE):
            self._store.publish_all(missing[start : start + AT_ONCE], have_rows=True)
        if missing:
            steps.reached("relay.published", jobs=[one.job for one in missing])

    def _are_published(self, tags: Sequence[str]) -> list[bool]:
        return self._store.are_published(tags) if tags else []


def _outgoing(row: "OutboxMessage") -> Outgoing:
    return Outgoing(
        job=row.job,
        task=row.task,
        queue=row.queue,
        list=row.list,
        text=row.message,
        tag=row.tag,
        due=row.due,
        durable=row.durable,
        unique=row.unique_key,
    )
