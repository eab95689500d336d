"""The jobs move_media_to_cloud_storage and move_media_files, with a real broker."""

from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from apps.core import context
from apps.core.exceptions import PermanentError
from apps.core.models import OutboxMessage
from apps.media import archive, services, tasks
from apps.media.models import MediaFile
from apps.media.services import ArchiveDownError
from apps.media.tasks import move_media_files, move_media_to_cloud_storage

from ..outages import broker_out_of_reach, relay
from .collection import DAY, MOVED, NOW, STILL_HERE, Collection, state

committing = pytest.mark.django_db(transaction=True)
pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def sweep(now=NOW):
    return move_media_to_cloud_storage(now_iso=now.isoformat())


def portions_of(rows):
    """How many files each job in the outbox has, by its tenant."""
    return [(headers["bgjobs_tenant"], len(kwargs["ids"])) for headers, kwargs in rows]


def test_they_are_declared_as_the_timetable_and_the_operators_know_them():
    assert (move_media_to_cloud_storage.name, move_media_files.name) == (
        "move_media_to_cloud_storage",
        "move_media_files",
    )
    for task in (move_media_to_cloud_storage, move_media_files):
        assert (task.queue_name, task.repeatable) == ("maintenance", True)
        assert task.soft_time_limit >= 2 * tasks.BUDGET_SECONDS
        assert task.time_limit > task.soft_time_limit


@committing
def test_450_files_are_three_jobs_of_their_tenant(media, queued):
    rows = media.rows(450)
    assert sweep() == {"scanned": 450, "jobs": 3}
    found = queued()
    assert portions_of(found) == [(str(media.tenant.pk), size) for size in (200, 200, 50)]
    assert [media_id for _, kwargs in found for media_id in kwargs["ids"]] == [row.pk for row in rows]
    assert {headers["task"] for headers, _ in found} == {"move_media_files"}


@committing
def test_tenants_have_jobs_of_their_own_and_inactive_ones_none(media, queued):
    other, gone = Collection("other"), Collection("gone")
    gone.tenant.is_active = False
    gone.tenant.save()
    for one in (media, other, gone):
        one.rows(3)
    assert sweep() == {"scanned": 6, "jobs": 2}
    assert portions_of(queued()) == [(str(media.tenant.pk), 3), (str(other.tenant.pk), 3)]


def test_what_is_due_is_older_than_sixty_days_and_not_yet_moved(media, settings):
    media.row("old.jpg", taken_at=NOW - 60 * DAY - SECOND)
    media.row("young.jpg", taken_at=NOW - 60 * DAY)
    media.row("done.jpg", location="CLOUD", moved_at=NOW, local_removed_at=NOW)
    assert sweep()["scanned"] == 1
    settings.MEDIA_KEPT_LOCAL_DAYS = 61
    assert sweep()["scanned"] == 0
    media.row("left-behind.jpg", location="CLOUD", moved_at=NOW, taken_at=NOW)
    assert sweep()["scanned"] == 1


@pytest.mark.parametrize(("month", "day"), [(3, 29), (10, 25)], ids=["23 hours", "25 hours"])
def test_sixty_days_are_1440_hours_also_where_the_clock_was_changed_meanwhile(media, month, day):
    now = datetime(2026, month, day, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    media.row("old.jpg", taken_at=now.astimezone(UTC) - timedelta(hours=1440, seconds=1))
    media.row("young.jpg", taken_at=now.astimezone(UTC) - timedelta(hours=1440))
    [portion] = services.due_portions(now, 60)
    assert portion.ids == (MediaFile.objects.get(path="old.jpg").pk,)


def test_what_is_due_counts_from_the_firing_instant(media):
    media.row("old.jpg", taken_at=NOW - 60 * DAY - SECOND)
    with context.using(firing=(NOW - DAY).isoformat()):
        assert move_media_to_cloud_storage.apply().get()["scanned"] == 0
    with context.using(firing=NOW.isoformat()):
        assert move_media_to_cloud_storage.apply().get()["scanned"] == 1


def test_a_whole_run_moves_everything_and_says_how_much(s3, media, run_jobs):
    other = Collection("other")
    rows = [media.add("1.jpg"), media.add("2.jpg"), other.add("1.jpg", b"theirs")]
    bad = media.row("missing.jpg")
    sweep()
    assert [result.get() for result in run_jobs()] == [
        {
            "scanned": 3,
            "moved": 2,
            "skipped": 0,
            "failed": 1,
            "bytes": 18,
            "cleared": 0,
            "errors": [{"id": bad.pk, "reason": "MISSING"}],
            "resume_after": None,
        },
        {
            "scanned": 1,
            "moved": 1,
            "skipped": 0,
            "failed": 0,
            "bytes": 6,
            "cleared": 0,
            "errors": [],
            "resume_after": None,
        },
    ]
    assert [state(row) for row in rows] == [MOVED] * 3


def test_a_run_while_the_jobs_of_another_one_still_wait_moves_nothing_twice(s3, media, run_jobs):
    media.add("1.jpg")
    media.add("2.jpg")
    assert sweep() == sweep() == {"scanned": 2, "jobs": 1}
    first, second = (result.get() for result in run_jobs())
    assert (first["moved"], second["moved"], second["skipped"]) == (2, 0, 2)


@committing
def test_a_run_that_fails_half_way_enqueues_nothing(media, queued, monkeypatch):
    other = Collection("other")
    media.rows(3)
    other.rows(3)

    def fail_for_other(task, tenant_id, portions, enqueue=tasks.enqueue):
        enqueue(task, tenant_id, portions)
        if tenant_id == other.tenant.pk:
            raise LookupError

    monkeypatch.setattr(tasks, "enqueue", fail_for_other)
    with pytest.raises(LookupError):
        sweep()
    relay()
    assert queued() == []
    assert not OutboxMessage.objects.exists()


@committing
def test_a_broker_that_is_down_gets_the_jobs_later(media, queued):
    media.rows(250)
    with broker_out_of_reach():
        assert sweep() == {"scanned": 250, "jobs": 2}
    assert queued() == []
    relay()
    assert portions_of(queued()) == [(str(media.tenant.pk), 200), (str(media.tenant.pk), 50)]


def test_ids_of_another_tenant_are_nobodys(s3, media):
    row = Collection("other").add()
    with context.using(tenant_id=media.tenant.pk):
        assert move_media_files.apply(kwargs={"ids": [row.pk, 10**9]}).get()["skipped"] == 2
    assert state(row) == STILL_HERE


def test_a_job_without_a_tenant_fails_for_good(media):
    result = move_media_files.apply(kwargs={"ids": [1]})
    assert isinstance(result.result, PermanentError)
    assert "context.using(tenant_id" in str(result.result)


def test_a_job_is_tried_again_until_the_archive_is_up(s3, media, run_jobs, monkeypatch):
    row = media.add()
    store = archive.store
    tries = iter([ArchiveDownError(), ArchiveDownError(), None])

    def store_at_third_try(*given):
        if error := next(tries):
            raise error
        store(*given)

    monkeypatch.setattr(archive, "store", store_at_third_try)
    sweep()
    [result] = run_jobs()
    assert result.get()["moved"] == 1
    assert state(row) == MOVED


def test_a_job_that_has_used_its_time_goes_on_as_a_new_one(s3, media, run_jobs, monkeypatch):
    for n in range(5):
        media.add(f"{n}.jpg")
    clock = iter(range(0, 100_000, 2000))  # each look at the clock is 2000 seconds later; 3600 are allowed
    monkeypatch.setattr(services, "move", partial(services.move, clock=lambda: next(clock)))
    sweep()
    results = [result.get() for result in run_jobs()]
    assert [result["moved"] for result in results] == [2, 2, 1]
    assert [result["scanned"] for result in results] == [2, 2, 1]


def test_the_sweep_costs_the_same_number_of_queries_for_more_files(media, django_assert_num_queries):
    media.rows(250)
    with django_assert_num_queries(4):  # a savepoint, the rows, one statement for a tenant's jobs
        sweep()
    Collection("other").rows(450)
    with django_assert_num_queries(5):
        sweep()
