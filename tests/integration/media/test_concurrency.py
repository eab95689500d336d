"""Several workers on the same files."""

import threading
from collections import Counter

import pytest
from django.db import transaction

from apps.media.models import MediaFile

from ..threads import at_once
from .collection import MOVED, STILL_HERE, state

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_workers_at_once_move_each_file_once(s3, media, at_step):
    rows = [media.add(f"{n}.jpg", f"picture {n}".encode()) for n in range(20)]
    uploads = Counter()
    at_step("media.uploaded", lambda media_id: uploads.update([media_id]))
    counted = at_once(media.move, media.move)
    total = sum(map(Counter, counted), Counter())
    assert (total["moved"], total["failed"]) == (20, 0)
    assert uploads == {row.pk: 1 for row in rows}
    assert {state(row) for row in rows} == {MOVED}
    assert s3.objects() == {media.key(f"{n}.jpg"): f"picture {n}".encode() for n in range(20)}


def test_in_a_callers_transaction_nothing_is_moved_since_nothing_would_be_committed(s3, media):
    row = media.add()
    with transaction.atomic():
        assert media.move()["errors"] == [{"id": row.pk, "reason": "UNEXPECTED"}]
    assert (media.folder / "gate.jpg").exists()
    assert s3.objects() == {}


def test_a_file_in_another_workers_hands_is_skipped_without_waiting(s3, media):
    held, free = media.add("held.jpg"), media.add("free.jpg")
    locked, done = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            MediaFile.objects.select_for_update().get(pk=held.pk)
            locked.set()
            done.wait(30)

    def work():
        locked.wait(30)
        try:
            return media.move()
        finally:
            done.set()

    assert at_once(hold, work)[1] == {"scanned": 2, "skipped": 1, "moved": 1, "bytes": 9}
    assert (state(held), state(free)) == (STILL_HERE, MOVED)
