"""An archive in a folder: whole objects under exact names, never replaced."""

import os
import stat
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import Storage, storages

from apps.media.archive_options import folder_archive


@pytest.fixture
def archive(tmp_path: Path) -> Storage:
    return storages.create_storage(folder_archive(tmp_path / "archive"))


def save(archive: Storage, name: str, content: bytes = b"a picture") -> str:
    return archive.save(name, File(BytesIO(content)))


def test_an_object_has_exactly_its_name_and_is_private(archive: Storage, tmp_path: Path) -> None:
    assert save(archive, "7/2026/gate.jpg") == "7/2026/gate.jpg"
    with archive.open("7/2026/gate.jpg") as file:
        assert file.read() == b"a picture"
    for path, mode in (("7/2026/gate.jpg", 0o600), ("7/2026", 0o700), ("7", 0o700), ("", 0o700)):
        assert stat.S_IMODE((tmp_path / "archive" / path).stat().st_mode) == mode


def test_an_object_that_exists_is_not_replaced_and_nothing_takes_another_name(archive: Storage) -> None:
    save(archive, "7/gate.jpg")
    with pytest.raises(FileExistsError):
        save(archive, "7/gate.jpg", b"another")
    assert archive.listdir("7") == ([], ["gate.jpg"])
    assert archive.size("7/gate.jpg") == 9


def test_an_object_in_place_of_a_folder_is_told(archive: Storage) -> None:
    save(archive, "7/gate")
    for name in ("7/gate/1.jpg", "7/gate/2026/1.jpg"):
        with pytest.raises(NotADirectoryError):
            save(archive, name)


@pytest.mark.parametrize("name", ["../gate.jpg", "7/../../gate.jpg", "/etc/gate.jpg"])
def test_a_name_that_leads_out_is_refused(archive: Storage, name: str) -> None:
    with pytest.raises(SuspiciousFileOperation):
        save(archive, name)


def test_what_cannot_be_written_to_its_end_leaves_nothing(archive: Storage, tmp_path: Path) -> None:
    class Broken(File):  # type: ignore[type-arg]
        def chunks(self, chunk_size: int | None = None) -> Any:
            yield b"a pic"
            raise OSError

    with pytest.raises(OSError, match=r"^$"):
        archive.save("7/gate.jpg", Broken(BytesIO()))
    assert not [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]


def test_what_a_dead_process_has_left_goes_after_a_day(archive: Storage, tmp_path: Path) -> None:
    save(archive, "7/1.jpg")
    incoming = tmp_path / "archive" / ".incoming"
    (incoming / "old").write_bytes(b"a pic")
    (incoming / "new").write_bytes(b"a pic")
    os.utime(incoming / "old", (0, 0))
    save(archive, "7/2.jpg")
    assert [path.name for path in incoming.iterdir()] == ["new"]
