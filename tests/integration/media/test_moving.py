"""Files on their way into a bucket, over HTTP."""

import gzip
import os

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.storage import storages

from apps.media import archive, moving
from apps.media.services import ArchiveDownError, MediaRootError

from .collection import MOVED, NOW, STILL_HERE, Collection, failed, state
from .s3_server import BUCKET, S3Server

pytestmark = pytest.mark.django_db


def test_a_file_is_stored_under_its_name_and_removed_here(s3, media):
    row = media.add("2026/09/gate.jpg", b"a picture")
    assert media.move() == {"scanned": 1, "moved": 1, "bytes": 9}
    assert s3.objects() == {media.key("2026/09/gate.jpg"): b"a picture"}
    assert state(row) == MOVED
    assert row.moved_at == row.local_removed_at == NOW
    assert not (media.folder / "2026/09/gate.jpg").exists()


def test_a_second_run_does_nothing(s3, media):
    media.add()
    media.move()
    before = s3.client.head_object(Bucket=BUCKET, Key=media.key("gate.jpg"))["LastModified"]
    assert media.move() == {"scanned": 1, "skipped": 1}
    assert s3.client.head_object(Bucket=BUCKET, Key=media.key("gate.jpg"))["LastModified"] == before


def test_an_empty_file_and_one_of_several_parts_arrive_whole(s3, media):
    large = os.urandom(1000) * 18_000  # 18 MB: three parts
    media.add("empty.jpg", b"")
    media.add("large.mp4", large)
    assert media.move() == {"scanned": 2, "moved": 2, "bytes": len(large)}
    assert s3.objects() == {media.key("empty.jpg"): b"", media.key("large.mp4"): large}


@pytest.mark.parametrize(
    "path",
    [
        "Büro/Tür 3.jpg",
        "बैंगलोर/गेट.jpg",
        "e\u0301.jpg",  # é in two characters, which stay two
        "  two  spaces  .jpg",
        "-rf",
        "--version/-",
        "100%25 & a?b#c+d=e;f'g\"h.jpg",
        "$(reboot)`id`.jpg",
        ".hidden",
        "..jpg/...",
        "\u202egpj.exe",
        "n" * 255,
        "/".join(["d" * 200] * 4) + "/" + "n" * 195,
    ],
    ids=lambda path: path.encode("ascii", "replace").decode()[:12],
)
def test_a_hostile_name_is_kept_as_it_is(s3, media, path):
    row = media.add(path)
    assert media.move() == {"scanned": 1, "moved": 1, "bytes": 9}
    assert s3.objects() == {media.key(path): b"a picture"}
    assert state(row) == MOVED


def test_what_looks_compressed_or_like_a_page_is_stored_as_it_is_and_as_nothing_else(s3, media):
    content = gzip.compress(b"<script>")
    media.add("page.html", b"<script>")
    media.add("log.txt.gz", content)
    media.move()
    assert s3.read(media.key("log.txt.gz")) == content
    for path in ("page.html", "log.txt.gz"):
        head = s3.client.head_object(Bucket=BUCKET, Key=media.key(path))
        assert (head["ContentType"], head.get("ContentEncoding")) == ("application/octet-stream", None)


def test_no_access_control_of_its_own_opens_an_object(s3, media):
    media.add()
    media.move()
    grants = s3.client.get_object_acl(Bucket=BUCKET, Key=media.key("gate.jpg"))["Grants"]
    assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]


def test_two_tenants_with_the_same_path_have_two_objects(s3, media):
    other = Collection("other")
    mine, theirs = media.add("gate.jpg", b"mine"), other.add("gate.jpg", b"theirs")
    assert media.move(mine, theirs) == {"scanned": 2, "moved": 1, "skipped": 1, "bytes": 4}
    assert state(theirs) == STILL_HERE
    assert other.move() == {"scanned": 1, "moved": 1, "bytes": 6}
    assert s3.objects() == {media.key("gate.jpg"): b"mine", other.key("gate.jpg"): b"theirs"}


def test_the_same_object_that_is_there_already_is_not_stored_again(s3, media, monkeypatch):
    row = media.add()
    s3.put(media.key("gate.jpg"), b"a picture")
    monkeypatch.setattr(storages["media_archive"], "_save", None)
    assert media.move() == {"scanned": 1, "moved": 1, "bytes": 9}
    assert state(row) == MOVED


@pytest.mark.parametrize("there", [b"another", b"another picture", b"A picture"])
def test_another_object_under_the_name_is_reported_and_both_stay(s3, media, there):
    row = media.add()
    s3.put(media.key("gate.jpg"), there)
    assert media.move() == failed(row, "NAME_TAKEN")
    assert s3.read(media.key("gate.jpg")) == there
    assert (media.folder / "gate.jpg").read_bytes() == b"a picture"
    assert (state(row), row.trouble_at) == (("LOCAL", False, "NAME_TAKEN"), NOW)


@pytest.mark.parametrize(("there", "outcome"), [(b"a picture", "moved"), (b"another", "failed")])
def test_an_object_that_comes_between_the_look_and_the_upload_is_not_replaced(s3, media, monkeypatch, there, outcome):
    media.add()
    look_for = archive.look_for

    def look_and_lose(key, content):
        monkeypatch.setattr(archive, "look_for", look_for)
        found = look_for(key, content)
        s3.put(key, there)
        return found

    monkeypatch.setattr(archive, "look_for", look_and_lose)
    counted = media.move()
    assert counted[outcome] == 1
    assert counted.get("errors", [{"reason": "NAME_TAKEN"}])[0]["reason"] == "NAME_TAKEN"
    assert s3.read(media.key("gate.jpg")) == there


def test_what_the_archive_has_spoilt_is_found_out_and_the_file_stays(s3, media, at_step):
    row = media.add()
    at_step("media.uploaded", lambda media_id: s3.put(media.key("gate.jpg"), b"A picture"))
    assert media.move() == failed(row, "STORED_WRONG")
    assert (media.folder / "gate.jpg").exists()


def test_what_the_archive_has_lost_is_found_out_and_the_file_stays(s3, media, at_step):
    row = media.add()
    at_step("media.uploaded", lambda media_id: s3.client.delete_object(Bucket=BUCKET, Key=media.key("gate.jpg")))
    assert media.move() == failed(row, "STORED_WRONG")
    assert (media.folder / "gate.jpg").exists()


def test_a_file_that_was_changed_since_it_was_registered_is_reported_and_nothing_is_stored(s3, media):
    longer, other = media.add("longer.jpg"), media.add("other.jpg")
    media.file("longer.jpg", b"a picture and more")
    media.file("other.jpg", b"A picture")
    assert media.move()["errors"] == [
        {"id": longer.pk, "reason": "SIZE_DIFFERS"},
        {"id": other.pk, "reason": "CHECKSUM_DIFFERS"},
    ]
    assert s3.objects() == {}
    assert (media.folder / "longer.jpg").exists()
    assert (media.folder / "other.jpg").exists()


def test_a_file_that_is_changed_while_it_is_moved_is_kept_and_reported_from_then_on(s3, media, at_step):
    row = media.add()
    at_step("media.committed", lambda media_id: media.file("gate.jpg", b"a new one"))
    assert media.move() == {
        "scanned": 1,
        "moved": 1,
        "bytes": 9,
        "errors": [{"id": row.pk, "reason": "CHANGED_MEANWHILE"}],
    }
    assert state(row) == ("CLOUD", False, "CHANGED_MEANWHILE")
    assert media.move() == failed(row, "CHECKSUM_DIFFERS")
    assert (media.folder / "gate.jpg").read_bytes() == b"a new one"
    assert s3.read(media.key("gate.jpg")) == b"a picture"


def test_a_file_that_is_replaced_while_it_is_moved_is_kept(s3, media, at_step):
    media.add()
    fresh = media.file("fresh.jpg", b"a new one")
    at_step("media.committed", lambda media_id: fresh.rename(media.folder / "gate.jpg"))
    assert media.move()["errors"][0]["reason"] == "CHANGED_MEANWHILE"
    assert (media.folder / "gate.jpg").read_bytes() == b"a new one"


def test_one_bad_file_costs_one_file_and_logs_say_neither_path_nor_name(s3, media, caplog):
    good = [media.add("1-Jane-Doe.jpg"), media.add("3-Jane-Doe.jpg")]
    bad = media.row("2-Jane-Doe.jpg")
    outcome = media.move()
    assert outcome == {
        "scanned": 3,
        "moved": 2,
        "failed": 1,
        "bytes": 18,
        "errors": [{"id": bad.pk, "reason": "MISSING"}],
    }
    assert [state(row) for row in good] == [MOVED, MOVED]
    assert f"'media_id': {bad.pk}" in caplog.text
    assert "Jane" not in caplog.text


def test_an_error_that_nobody_thought_of_costs_one_file_and_its_text_is_told_to_nobody(
    s3, media, caplog, monkeypatch
):
    first, second = media.add("first.jpg"), media.add("second.jpg")
    key_of = moving.key_of

    def fail_at_first(tenant_id, path):
        if path == "first.jpg":
            raise RuntimeError(path)
        return key_of(tenant_id, path)

    monkeypatch.setattr(moving, "key_of", fail_at_first)
    assert media.move()["errors"] == [{"id": first.pk, "reason": "UNEXPECTED"}]
    assert state(first) == ("LOCAL", False, "UNEXPECTED")
    assert state(second) == MOVED
    assert "RuntimeError" in caplog.text
    assert "fail_at_first" in caplog.text
    assert "first.jpg" not in caplog.text


def test_a_file_that_was_put_right_is_moved_and_its_trouble_forgotten(s3, media):
    row = media.row("gate.jpg")
    assert media.move() == failed(row, "MISSING")
    media.file("gate.jpg")
    assert media.move() == {"scanned": 1, "moved": 1, "bytes": 9}
    assert state(row) == MOVED
    assert row.trouble_at is None


def test_a_media_root_that_is_not_mounted_is_no_fault_of_a_file(s3, media, settings):
    row = media.add()
    settings.MEDIA_FILES_ROOT = settings.MEDIA_FILES_ROOT / "not-mounted"
    with pytest.raises(MediaRootError):
        media.move()
    assert state(row) == STILL_HERE


def test_a_bucket_that_is_not_there_is_no_fault_of_a_file(s3, media, settings):
    rows = [media.add(f"{n}.jpg") for n in range(5)]
    settings.STORAGES = {**settings.STORAGES, "media_archive": s3.storage(bucket_name="elsewhere")}
    with pytest.raises(ArchiveDownError, match="404 NoSuchBucket"):
        media.move()
    assert {state(row) for row in rows} == {STILL_HERE}


def test_an_archive_that_goes_down_in_the_middle_loses_nothing(media, settings, at_step, caplog):
    server = S3Server()
    server.empty()
    settings.STORAGES = {**settings.STORAGES, "media_archive": server.storage()}
    rows = [media.add(f"{n}.jpg") for n in range(6)]
    committed = iter(range(6))
    at_step("media.committed", lambda media_id: server.stop() if next(committed) == 1 else None)
    with pytest.raises(ArchiveDownError):
        media.move()
    assert [state(row) for row in rows] == [MOVED] * 2 + [STILL_HERE] * 4
    assert caplog.text.count("media.archive_down") == moving.GIVEN_UP_AFTER  # then the sixth is not tried
    assert all((media.folder / row.path).exists() for row in rows[2:])

    server = S3Server(server.port)
    assert media.move() == {"scanned": 6, "moved": 4, "skipped": 2, "bytes": 36}
    assert server.objects() == {media.key(row.path): b"a picture" for row in rows}
    server.stop()


def test_a_file_that_the_archive_holds_up_does_not_hold_up_the_others(s3, media, monkeypatch):
    held_up, other = media.add("held-up.jpg"), media.add("other.jpg")
    store = archive.store

    def down_for_the_first(media_id, *rest):
        if media_id == held_up.pk:
            raise ArchiveDownError
        store(media_id, *rest)

    monkeypatch.setattr(archive, "store", down_for_the_first)
    with pytest.raises(ArchiveDownError):
        media.move()
    assert (state(held_up), state(other)) == (STILL_HERE, MOVED)


def test_an_object_that_the_archive_refuses_costs_one_file(s3, media, monkeypatch):
    from botocore.exceptions import ClientError

    row, other = media.add("refused.jpg"), media.add("other.jpg")
    client = storages["media_archive"].connection.meta.client
    head = client.head_object

    def refuse(**request):
        if "refused" in request["Key"]:
            answer = {"Error": {"Code": "KeyTooLongError"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(answer, "HeadObject")
        return head(**request)

    monkeypatch.setattr(client, "head_object", refuse)
    assert media.move()["errors"] == [{"id": row.pk, "reason": "REFUSED"}]
    assert state(other) == MOVED


def test_a_soft_time_limit_that_strikes_inside_a_request_is_not_taken_for_a_lost_connection(s3, media, monkeypatch):
    import urllib3

    row = media.add()
    struck = []

    def strike(self, *_, **__):
        struck.append(self)
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(urllib3.connectionpool.HTTPConnectionPool, "urlopen", strike)
    with pytest.raises(SoftTimeLimitExceeded):
        media.move()
    assert len(struck) == 1
    assert state(row) == STILL_HERE


def test_a_job_that_has_used_its_time_says_where_to_go_on(s3, media):
    rows = [media.add(f"{n}.jpg") for n in range(4)]
    clock = iter(range(0, 1000, 12))  # each look at the clock is 12 seconds later; 20 are allowed
    outcome = moving.move(
        [row.pk for row in rows],
        tenant_id=media.tenant.pk,
        now=NOW,
        budget_seconds=20,
        clock=lambda: next(clock),
    )
    assert (outcome.counts["moved"], outcome.resume_after) == (2, rows[1].pk)


def test_an_inactive_tenants_files_stay(s3, media):
    row = media.add()
    media.tenant.is_active = False
    media.tenant.save()
    assert media.move() == {"scanned": 1, "skipped": 1}
    assert state(row) == STILL_HERE
