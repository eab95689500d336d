"""Moving files into the archive, one by one.

A file goes through these steps, and a process may die between any two of them: stored in the archive, read back and
found right, its row set to CLOUD and committed, the local file removed, and that noted. The next run looks what is
there and does the rest. The row is locked up to the commit, so no two workers store one file.
"""

import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, transaction

from apps.core import steps
from apps.core.exceptions import TransientError
from apps.core.logs import get_logger
from apps.core.sweeps import SweepOutcome

from . import archive
from .digest import Digest
from .local_file import LocalFile, open_local
from .models import MediaFile
from .paths import key_of
from .trouble import ArchiveDownError, ArchiveIsMediaRootError, MediaTroubleError, Trouble

GIVEN_UP_AFTER: Final = 3  # files in a row with which the archive did not work
Location = MediaFile.Location
log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What has become of one file."""

    # cleared: moved by an earlier run, which had left the local file behind
    outcome: Literal["moved", "cleared", "skipped", "failed"]
    trouble: Trouble | None = None  # a file that was moved may have one: then its local file is still there
    size: int = 0  # bytes that were moved


@dataclass(slots=True, kw_only=True)
class Tally:
    """What has become of the files so far."""

    counts: Counter[str] = field(default_factory=Counter)
    errors: list[dict[str, Any]] = field(default_factory=list)
    held_up: ArchiveDownError | None = None
    held_up_in_a_row: int = 0

    def add(self, media_id: int, moved: Moved) -> None:
        self.counts.update({"scanned": 1, moved.outcome: 1, "bytes": moved.size})
        self.held_up_in_a_row = 0
        if moved.trouble:
            self.errors.append({"id": media_id, "reason": moved.trouble.value})
            log.warning("media.trouble", media_id=media_id, reason=moved.trouble.value)

    def add_skipped(self, count: int) -> None:
        self.counts.update({"scanned": count, "skipped": count})

    def add_held_up(self, media_id: int, error: ArchiveDownError) -> None:
        self.held_up = error
        self.held_up_in_a_row += 1
        log.warning("media.archive_down", media_id=media_id, error=str(error))


def move(
    ids: Sequence[int],
    *,
    tenant_id: int,
    now: datetime,
    budget_seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> SweepOutcome:
    """Move the tenant's files with these ids; ids that are nobody's, another's or done are skipped.

    Behind `budget_seconds` it ends, one file at least being done, and says behind which id to go on. Raises
    ArchiveDownError in the end where the archive did not work with each file, and at once whatever else is no fault
    of a file.
    """
    tally = Tally()
    resume_after = None
    deadline = clock() + budget_seconds
    waiting = _waiting(ids, tenant_id)
    tally.add_skipped(len(set(ids)) - len(waiting))
    for media_id in waiting:
        try:
            tally.add(media_id, _move_one(media_id, tenant_id, now))
        except ArchiveDownError as error:
            tally.add_held_up(media_id, error)
            if tally.held_up_in_a_row >= GIVEN_UP_AFTER:
                break
        if clock() >= deadline:
            resume_after = media_id
            break
    log.info("media.portion", **tally.counts)
    if tally.held_up is not None:
        raise tally.held_up
    return SweepOutcome(counts=tally.counts, errors=tally.errors, resume_after=resume_after)


def _waiting(ids: Sequence[int], tenant_id: int) -> list[int]:
    rows = MediaFile.objects.filter(pk__in=ids, tenant=tenant_id, tenant__is_active=True, local_removed_at=None)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _move_one(media_id: int, tenant_id: int, now: datetime) -> Moved:
    try:
        return _through_all_steps(media_id, tenant_id, now)
    except (OperationalError, InterfaceError, SoftTimeLimitExceeded, TransientError, ArchiveIsMediaRootError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one file must not stop the others
        # Without its text, in which a path may stand.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("media.unexpected", media_id=media_id, error=type(error).__name__, where=where)
        _note(media_id, Trouble.UNEXPECTED, now)
        return Moved(outcome="failed", trouble=Trouble.UNEXPECTED)


def _through_all_steps(media_id: int, tenant_id: int, now: datetime) -> Moved:
    with ExitStack() as open_until_removed:
        with transaction.atomic(durable=True):  # in a caller's transaction it would not be committed below
            media = _locked(media_id, tenant_id)
            if media is None:
                return Moved(outcome="skipped")
            try:
                local = _store(media, open_until_removed)
            except MediaTroubleError as error:
                _note(media_id, error.trouble, now)
                return Moved(outcome="failed", trouble=error.trouble)
            was_here = media.location == Location.LOCAL
            if was_here:
                _set_moved(media, now)
        steps.reached("media.committed", media_id=media_id)
        trouble = _remove(media_id, local, now) if local else None
    if trouble is None:
        MediaFile.objects.filter(pk=media_id).update(local_removed_at=now, trouble="", trouble_at=None)
    if was_here:
        return Moved(outcome="moved", trouble=trouble, size=media.size)
    return Moved(outcome="failed" if trouble else "cleared", trouble=trouble)


def _locked(media_id: int, tenant_id: int) -> MediaFile | None:
    """The row, unless another worker has it or has done with it."""
    rows = MediaFile.objects.select_for_update(skip_locked=True)
    return rows.filter(pk=media_id, tenant=tenant_id, local_removed_at=None).first()


def _store(media: MediaFile, open_until_removed: ExitStack) -> LocalFile | None:
    """Store the file; None where it was moved before and is gone here. Raises MediaTroubleError."""
    try:
        local = open_local(media.tenant_id, media.path)
    except MediaTroubleError as error:
        if error.trouble is Trouble.MISSING and media.location == Location.CLOUD:
            return None
        raise
    open_until_removed.enter_context(closing(local))
    registered = Digest(size=media.size, sha256=media.sha256)
    if local.size != registered.size:
        raise MediaTroubleError(Trouble.SIZE_DIFFERS)
    if local.digest(at_most=registered.size) != registered:
        raise MediaTroubleError(Trouble.CHECKSUM_DIFFERS)
    archive.store(media.pk, key_of(media.tenant_id, media.path), local, registered)
    return local


def _set_moved(media: MediaFile, now: datetime) -> None:
    media.location = Location.CLOUD
    media.moved_at = now
    media.trouble, media.trouble_at = "", None
    media.save(update_fields=["location", "moved_at", "trouble", "trouble_at"])


def _remove(media_id: int, local: LocalFile, now: datetime) -> Trouble | None:
    try:
        local.remove()
    except MediaTroubleError as error:
        _note(media_id, error.trouble, now)
        return error.trouble
    steps.reached("media.removed", media_id=media_id)
    return None


def _note(media_id: int, trouble: Trouble, now: datetime) -> None:
    MediaFile.objects.filter(pk=media_id).update(trouble=trouble, trouble_at=now)
