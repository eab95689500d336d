"""Files are reached without following anything that leads elsewhere, also when it is swapped after a look."""

import hashlib
import os
import socket
import stat
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from apps.media import local_file
from apps.media.local_file import open_local
from apps.media.trouble import MediaRootError, MediaTroubleError, Trouble

SECRET = b"a secret"


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_FILES_ROOT = tmp_path / "media"
    (tmp_path / "media" / "7" / "2026").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "gate.jpg").write_bytes(SECRET)
    return tmp_path / "media" / "7"


@pytest.fixture
def outside(root: Path) -> Path:
    return root.parent.parent / "outside"


def refusal(path: str) -> Trouble:
    with pytest.raises(MediaTroubleError) as refused:
        open_local(7, path)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None  # whose text names the path
    return refused.value.trouble


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_a_file_is_opened_and_known_by_its_content(root: Path) -> None:
    (root / "2026" / "gate.jpg").write_bytes(b"a picture")
    with closing(open_local(7, "2026/gate.jpg")) as local:
        for _ in range(2):
            assert local.digest().sha256 == hashlib.sha256(b"a picture").hexdigest()
        assert local.size == local.digest().size == 9


def test_what_grows_is_not_read_to_its_end(root: Path) -> None:
    (root / "gate.jpg").write_bytes(b"x" * 5_000_000)
    with closing(open_local(7, "gate.jpg")) as local:
        assert local.digest(at_most=10).size < 2_000_000


@pytest.mark.parametrize("path", ["gate.jpg", "2026/gate.jpg", "2025/gate.jpg"])
def test_a_file_that_is_not_there_is_missing(root: Path, path: str) -> None:
    assert refusal(path) is Trouble.MISSING


def test_a_link_in_place_of_the_file_is_not_followed(root: Path, outside: Path) -> None:
    (root / "gate.jpg").symlink_to(outside / "gate.jpg")
    assert refusal("gate.jpg") is Trouble.NOT_A_FILE


def test_a_link_to_a_file_of_the_same_folder_is_not_followed_either(root: Path) -> None:
    (root / "real.jpg").write_bytes(b"a picture")
    (root / "gate.jpg").symlink_to("real.jpg")
    assert refusal("gate.jpg") is Trouble.NOT_A_FILE


def test_a_link_in_place_of_a_folder_is_not_followed(root: Path, outside: Path) -> None:
    (root / "2025").symlink_to(outside)
    assert refusal("2025/gate.jpg") is Trouble.NOT_A_FILE


def test_a_link_in_place_of_the_tenants_folder_is_not_followed(root: Path, outside: Path) -> None:
    (root.parent / "8").symlink_to(outside)
    with pytest.raises(MediaTroubleError) as refused:
        open_local(8, "gate.jpg")
    assert refused.value.trouble is Trouble.NOT_A_FILE


def test_a_link_that_leads_to_itself_is_refused(root: Path) -> None:
    (root / "gate.jpg").symlink_to("gate.jpg")
    assert refusal("gate.jpg") is Trouble.NOT_A_FILE


@pytest.mark.parametrize("path", ["../outside/gate.jpg", "2026/../../../outside/gate.jpg", "/etc/passwd"])
def test_a_path_that_leads_out_is_refused(root: Path, path: str) -> None:
    assert refusal(path) is Trouble.BAD_PATH


def test_a_named_pipe_does_not_block(root: Path) -> None:
    os.mkfifo(root / "gate.jpg")
    assert refusal("gate.jpg") is Trouble.NOT_A_FILE


def test_folders_sockets_and_files_in_place_of_folders_are_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "gate.jpg").mkdir()
    (root / "file").write_bytes(b"")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(root)  # the address of a socket is short
        listener.bind("socket")
        assert refusal("socket") is Trouble.NOT_A_FILE
    assert refusal("gate.jpg") is Trouble.NOT_A_FILE
    assert refusal("file/gate.jpg") is Trouble.NOT_A_FILE


def swapped_after_the_look(monkeypatch: pytest.MonkeyPatch, name: str, swap: Callable[[], None]) -> None:
    """Do `swap` once `name` has been looked at, and before it is opened."""
    look = os.stat

    def look_and_swap(path: Any, **options: Any) -> os.stat_result:
        found = look(path, **options)
        if path == name:
            monkeypatch.undo()
            swap()
        return found

    monkeypatch.setattr(local_file.os, "stat", look_and_swap)


def test_a_link_that_takes_the_files_place_after_the_look_is_not_followed(
    root: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "gate.jpg").write_bytes(b"a picture")

    def swap() -> None:
        (root / "gate.jpg").unlink()
        (root / "gate.jpg").symlink_to(outside / "gate.jpg")

    swapped_after_the_look(monkeypatch, "gate.jpg", swap)
    assert refusal("gate.jpg") is Trouble.NOT_A_FILE


def test_a_pipe_that_takes_the_files_place_after_the_look_does_not_block(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "gate.jpg").write_bytes(b"a picture")

    def swap() -> None:
        (root / "gate.jpg").unlink()
        os.mkfifo(root / "gate.jpg")

    swapped_after_the_look(monkeypatch, "gate.jpg", swap)
    assert refusal("gate.jpg") is Trouble.NOT_A_FILE


def test_a_folder_that_is_swapped_after_it_was_opened_leads_nowhere_else(
    root: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "2026" / "gate.jpg").write_bytes(b"a picture")

    def swap() -> None:
        (root / "2026").rename(root / "moved")
        (root / "2026").symlink_to(outside)

    swapped_after_the_look(monkeypatch, "gate.jpg", swap)
    with closing(open_local(7, "2026/gate.jpg")) as local:
        assert local.file.read() == b"a picture"
        local.remove()
    assert not (root / "moved" / "gate.jpg").exists()
    assert (outside / "gate.jpg").read_bytes() == SECRET


def test_the_very_file_that_was_opened_is_removed(root: Path) -> None:
    (root / "gate.jpg").write_bytes(b"a picture")
    with closing(open_local(7, "gate.jpg")) as local:
        local.remove()
        local.remove()  # gone is gone
    assert not (root / "gate.jpg").exists()


@pytest.mark.parametrize("how", ["written", "replaced", "linked"])
def test_a_file_that_was_touched_since_it_was_opened_is_not_removed(root: Path, outside: Path, how: str) -> None:
    file = root / "gate.jpg"
    file.write_bytes(b"a picture")
    with closing(open_local(7, "gate.jpg")) as local:
        if how == "written":
            with file.open("r+b") as writing:
                writing.write(b"A")
            os.utime(file, ns=(1, local.fingerprint[3]))  # as if nothing had been
        else:
            file.unlink()
            file.symlink_to(outside / "gate.jpg") if how == "linked" else file.write_bytes(b"a picture")
        with pytest.raises(MediaTroubleError) as kept:
            local.remove()
    assert kept.value.trouble is Trouble.CHANGED_MEANWHILE
    assert os.path.lexists(file)
    assert (outside / "gate.jpg").exists()


def test_a_file_that_cannot_be_removed_is_said_to_be(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "gate.jpg").write_bytes(b"a picture")
    with closing(open_local(7, "gate.jpg")) as local:
        monkeypatch.setattr(local_file.os, "unlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError()))
        with pytest.raises(MediaTroubleError) as kept:
            local.remove()
    assert kept.value.trouble is Trouble.NOT_REMOVED


def test_without_a_media_root_no_file_is_to_blame(root: Path, settings: Any) -> None:
    settings.MEDIA_FILES_ROOT = root / "elsewhere"
    with pytest.raises(MediaRootError):
        open_local(7, "gate.jpg")


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_no_descriptor_stays_open(root: Path, outside: Path) -> None:
    (root / "gate.jpg").write_bytes(b"a picture")
    (root / "2026" / "link").symlink_to(outside)
    os.mkfifo(root / "2026" / "pipe")
    before = open_descriptors()
    for path in ("gate.jpg", "missing.jpg", "2026/link", "2026/link/gate.jpg", "2026/pipe", "2026", "no/folder"):
        with suppress(MediaTroubleError):
            open_local(7, path).close()
    open_local(7, "gate.jpg").released().close()
    assert open_descriptors() == before
    assert stat.S_ISFIFO((root / "2026" / "pipe").stat().st_mode)
