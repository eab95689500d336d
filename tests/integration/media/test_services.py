"""Registering files, and opening them wherever they are."""

import hashlib
from datetime import datetime

import pytest
from django.db import IntegrityError

from apps.media.models import MediaFile
from apps.media.services import ArchiveDownError, MediaTroubleError, PathTakenError, Trouble, open_media, register

from .collection import NOW, Collection

pytestmark = pytest.mark.django_db


def test_a_file_is_registered_with_its_size_and_checksum(media):
    media.file("2026/gate.jpg", b"a picture")
    row = register(media.tenant, "2026/gate.jpg", NOW)
    row.refresh_from_db()
    assert (row.path, row.size, row.taken_at, row.location) == ("2026/gate.jpg", 9, NOW, "LOCAL")
    assert row.sha256 == hashlib.sha256(b"a picture").hexdigest()


def test_registering_the_same_file_again_gives_its_row(media):
    first = media.add()
    assert register(media.tenant, "gate.jpg", NOW).pk == first.pk


def test_another_content_at_a_known_path_is_refused(media):
    media.add()
    media.file("gate.jpg", b"a new one")
    with pytest.raises(PathTakenError, match="another path"):
        register(media.tenant, "gate.jpg", NOW)


def test_the_same_path_of_two_tenants_is_two_files(media):
    assert media.add("gate.jpg", b"mine").pk != Collection("other").add("gate.jpg", b"theirs").pk


def test_a_time_without_its_zone_is_refused(media):
    with pytest.raises(ValueError, match="time zone"):
        register(media.tenant, "gate.jpg", datetime(2026, 11, 23))  # noqa: DTZ001


@pytest.mark.parametrize("path", ["../other/gate.jpg", "/etc/passwd", "missing.jpg", ""])
def test_what_is_no_file_of_the_tenant_is_refused_and_leaves_no_row(media, path):
    with pytest.raises(MediaTroubleError):
        register(media.tenant, path, NOW)
    assert not MediaFile.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "A" * 64},
        {"sha256": ""},
        {"location": "CLOUD"},
        {"moved_at": NOW},
        {"local_removed_at": NOW},
    ],
)
def test_the_database_refuses_a_row_that_cannot_be(media, wrong):
    with pytest.raises(IntegrityError):
        media.row("gate.jpg", **wrong)


def test_content_is_the_same_before_and_after_the_move(s3, media):
    content = bytes(range(256)) * 10_000
    row = media.add("gate.jpg", content)
    with open_media(row) as file:
        assert file.read() == content
    media.move()
    row.refresh_from_db()
    with open_media(row) as file:
        assert (file.read(3), file.read(), file.read()) == (content[:3], content[3:], b"")


def test_a_row_that_was_read_before_the_move_opens_nevertheless(s3, media):
    row = media.add()
    media.move()
    assert row.location == "LOCAL"
    with open_media(row) as file:
        assert file.read() == b"a picture"


def test_a_file_that_is_nowhere_is_said_to_be_missing(s3, media):
    here = media.row("here.jpg")
    there = media.row("there.jpg", location="CLOUD", moved_at=NOW, local_removed_at=NOW)
    for row in (here, there):
        with pytest.raises(MediaTroubleError) as missing:
            open_media(row)
        assert missing.value.trouble is Trouble.MISSING


def test_an_object_that_breaks_off_is_an_error_and_not_a_short_file(s3, media, monkeypatch):
    from django.core.files.storage import storages

    row = media.add("gate.jpg", b"a picture" * 1000)
    media.move()
    row.refresh_from_db()
    client = storages["media_archive"].connection.meta.client
    get = client.get_object

    def get_less(**request):
        got = get(**request)
        got["Body"]._content_length = 9001
        return got

    monkeypatch.setattr(client, "get_object", get_less)
    with open_media(row) as file, pytest.raises(ArchiveDownError, match="IncompleteRead"):
        file.read()


def test_an_archive_without_access_says_so_and_nothing_else(s3, media, settings):
    row = media.row("Jane-Doe.jpg", location="CLOUD", moved_at=NOW, local_removed_at=NOW)
    settings.STORAGES = {
        **settings.STORAGES,
        "media_archive": s3.storage(endpoint_url="http://127.0.0.1:1"),
    }
    with pytest.raises(ArchiveDownError) as down:
        open_media(row)
    assert str(down.value) == "The media archive does not work: EndpointConnectionError."
    assert down.value.__suppress_context__
