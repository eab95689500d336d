"""Moving into each kind of archive: what it keeps, what it refuses, what it costs."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files import File
from django.core.files.storage import storages

from apps.media.services import ArchiveDownError
from apps.media.trouble import ArchiveIsMediaRootError

from ..broker.tls_endpoint import TlsEndpoint
from .collection import MOVED, STILL_HERE, failed, state
from .s3_server import BUCKET

pytestmark = pytest.mark.django_db
ESCAPES = {
    "a link in place of the file": lambda here, outside: (here / "gate.jpg").symlink_to(outside / "gate.jpg"),
    "a named pipe": lambda here, outside: os.mkfifo(here / "gate.jpg"),
    "a folder": lambda here, outside: (here / "gate.jpg").mkdir(),
}


def test_a_folder_takes_files_under_their_names(folder, media):
    row = media.add("2026/Büro -1.jpg")
    assert media.move() == {"scanned": 1, "moved": 1, "bytes": 9}
    assert (folder / media.key("2026/Büro -1.jpg")).read_bytes() == b"a picture"
    assert state(row) == MOVED
    assert media.move() == {"scanned": 1, "skipped": 1}


def test_a_folder_keeps_another_object_that_it_has(folder, media):
    row = media.add()
    target = folder / media.key("gate.jpg")
    target.parent.mkdir(parents=True)
    target.write_bytes(b"A picture")
    assert media.move() == failed(row, "NAME_TAKEN")
    assert target.read_bytes() == b"A picture"


def test_a_folder_that_holds_an_object_where_a_folder_must_be_costs_the_file(folder, media):
    media.add("2026")
    media.move()
    row = media.add("2026/gate.jpg")
    assert media.move(row) == failed(row, "NAME_TAKEN")


def test_a_full_disk_is_no_fault_of_a_file(folder, media, monkeypatch):
    import errno

    row = media.add()

    def no_space(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/archive/Jane-Doe.jpg")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(ArchiveDownError, match=r"^The media archive does not work: ENOSPC\.$"):
        media.move()
    assert state(row) == STILL_HERE


def test_an_archive_that_is_the_media_root_is_found_out_before_anything_is_removed(media, settings):
    from apps.media.archive_options import folder_archive

    row = media.add()
    entry = folder_archive(django_settings.MEDIA_FILES_ROOT)
    settings.STORAGES = {**settings.STORAGES, "media_archive": entry}
    with pytest.raises(ArchiveIsMediaRootError):
        media.move()
    assert (media.folder / "gate.jpg").exists()
    assert state(row) == STILL_HERE


@pytest.mark.parametrize("escape", ESCAPES)
def test_what_is_no_plain_file_is_neither_stored_nor_removed(folder, media, tmp_path, escape):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "gate.jpg").write_bytes(b"a picture")
    media.folder.mkdir()
    ESCAPES[escape](media.folder, tmp_path / "outside")
    row = media.row("gate.jpg")
    assert media.move() == failed(row, "NOT_A_FILE")
    assert os.path.lexists(media.folder / "gate.jpg")
    assert not folder.exists()
    assert (tmp_path / "outside" / "gate.jpg").exists()


@pytest.mark.parametrize("path", ["../outside/gate.jpg", "2026/../../gate.jpg", "a\\b", "//gate.jpg"])
def test_a_row_whose_path_leads_out_is_refused(folder, media, tmp_path, path):
    row = media.row(path)
    assert media.move() == failed(row, "BAD_PATH")


@pytest.mark.parametrize("size", [9, 9_000_000], ids=["in one", "in parts"])
def test_the_server_itself_refuses_to_replace_an_object(s3, size):
    def save(content: bytes) -> None:
        storages["media_archive"].save("7/gate.jpg", File(BytesIO(content)))

    save(b"1" * size)
    with pytest.raises(FileExistsError):
        save(b"2" * size)
    assert s3.read("7/gate.jpg") == b"1" * size


def test_a_server_that_knows_no_conditions_can_be_used_without_them(s3, settings, media):
    settings.STORAGES = {**settings.STORAGES, "media_archive": s3.storage(create_only=False)}
    media.add()
    assert media.move() == {"scanned": 1, "moved": 1, "bytes": 9}
    storages["media_archive"].save(media.key("gate.jpg"), File(BytesIO(b"2")))  # nothing of ours does that
    assert s3.read(media.key("gate.jpg")) == b"2"


def test_a_copy_that_its_own_checksum_contradicts_is_not_taken_for_the_file(s3, media, at_step):
    from moto.s3.models import s3_backends

    def spoil(media_id):
        """What the server holds of the object changes, and its notes about it do not."""
        key = s3_backends["123456789012"]["aws"].buckets[BUCKET].keys[media.key("gate.jpg")]
        key._value_buffer.seek(0)
        key._value_buffer.write(b"A")

    row = media.add()
    at_step("media.uploaded", spoil)
    assert media.move() == failed(row, "STORED_WRONG")
    assert (media.folder / "gate.jpg").read_bytes() == b"a picture"


@pytest.fixture
def tls(s3: Any, tmp_path: Path) -> Iterator[TlsEndpoint]:
    endpoint = TlsEndpoint(tmp_path, s3.port)
    yield endpoint
    endpoint.close()


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(s3, tls, media, settings, monkeypatch):
    row = media.add()
    entry = s3.storage(endpoint_url=f"https://127.0.0.1:{tls.port}")
    settings.STORAGES = {**settings.STORAGES, "media_archive": entry}
    with pytest.raises(ArchiveDownError, match="SSLError"):
        media.move()
    assert (state(row), s3.objects()) == (STILL_HERE, {})

    monkeypatch.setenv("AWS_CA_BUNDLE", str(tls.ca_file))
    settings.STORAGES = {**settings.STORAGES, "media_archive": entry}
    assert media.move() == {"scanned": 1, "moved": 1, "bytes": 9}
    assert list(s3.objects()) == [media.key("gate.jpg")]


MEASURED = """
    import resource, sys, django
    django.setup()
    from django.core.files.storage import storages
    from apps.media import archive
    from apps.media.local_file import open_local
    def used(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    def store(path):
        local = open_local(1, path)
        archive.store(1, f"1/{path}", local, local.digest())
        local.close()
    store("small.mp4")
    before = used()
    store("large.mp4")
    print((used() - before) / 1024)
"""


@pytest.mark.slow
def test_a_large_file_takes_no_more_memory_than_a_small_one(s3, media_root):
    (media_root / "1").mkdir()
    with (media_root / "1" / "small.mp4").open("wb") as small, (media_root / "1" / "large.mp4").open("wb") as large:
        small.write(os.urandom(1000) * 20_000)  # 20 MB: it goes in parts, too
        large.write(os.urandom(1000) * 80_000)  # 80 MB
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURED)],
        env={
            **os.environ,
            "PYTHONPATH": str(Path.cwd()),
            "MEDIA_FILES_DIR": str(media_root),
            "MEDIA_S3_BUCKET": BUCKET,
            "MEDIA_S3_ENDPOINT_URL": s3.url,
            "MEDIA_S3_REGION": "us-east-1",
            "MEDIA_S3_ADDRESSING_STYLE": "path",
            "MEDIA_S3_ACCESS_KEY": "test",
            "MEDIA_S3_SECRET_KEY": "test",
        },
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert s3.client.head_object(Bucket=BUCKET, Key="1/large.mp4")["ContentLength"] == 80_000_000
    assert float(process.stdout) < 20  # MB
