"""The way from the quarantine to the database: a chore of the relay.

A record is copied, and then removed. Whoever dies in between leaves a record that is known, and is only removed. The
message's row in the outbox goes in the transaction of the copy. It is found by the message's own tag, or, that of a
durable job, by its age: so the row of a job that has been replayed meanwhile stays.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from .. import steps
from ..broker import quarantine
from ..broker.store import MessageStore
from ..context import DURABLE_HEADER, ENTRY_HEADER, HEADERS
from ..logs import get_logger
from ..outbox import rows
from ..turns import takes_turn
from .letter import Kept, read
from .models import DeadLetter

log = get_logger(__name__)


class Mover:
    """One relay's work on the quarantine. Raises redis.RedisError and django.db.Error."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store
        self._cursor = b"0"

    def work(self) -> bool:
        """Move a portion. Returns whether there may be more to do at once."""
        self._cursor, records = quarantine.portion(self._store, self._cursor)
        if records:
            if not write([read(kept_as, record) for kept_as, record in records.items()]):
                return False
            steps.reached("dead_letters.copied", count=len(records))
            quarantine.forget(self._store, records)
        return self._cursor != b"0"


def write(found: Sequence[Kept]) -> bool:
    """Write the letters that are not there yet. False: another relay is doing that just now.

    Observers of "dead_letter.written" are called in the transaction of the letter.
    """
    with transaction.atomic():
        if not takes_turn("bgjobs.dead_letters"):  # so the letters that are not known are not written by anybody else
            return False
        letters = [one.letter for one in found if one.letter is not None]
        known = set(
            DeadLetter.objects.filter(kept_as__in=[letter.kept_as for letter in letters]).values_list(
                "kept_as", flat=True
            )
        )
        new = sorted((one for one in letters if one.kept_as not in known), key=lambda one: one.last_at)
        DeadLetter.objects.bulk_create(new)
        rows.discard([one.tag for one in found if one.tag])
        for one in found:
            if one.headers.get(DURABLE_HEADER) is True:
                rows.discard_older(str(one.headers.get("id")), one.at)
        headers = {one.letter.kept_as: one.headers for one in found if one.letter is not None}
        for letter in new:
            _tell(letter, headers[letter.kept_as])
    return True


def _tell(letter: DeadLetter, headers: Mapping[str, Any]) -> None:
    facts = {"letter": letter.pk, "task": letter.task, "job": letter.job, "reason": letter.reason}
    log.warning("dead_letter.written", **facts, error=letter.error, fingerprint=letter.fingerprint)
    entry, firing = headers.get(ENTRY_HEADER), headers.get(HEADERS["firing"])
    steps.reached("dead_letter.written", **facts, entry=entry, firing=firing)
