import os
from pathlib import Path

import pytest

from deploy.local import postgres_place
from deploy.local.command import Owner
from deploy.local.errors import LocalError
from deploy.local.postgres import forget_dead_server

NOBODY_IN_PARTICULAR = Owner(uid=54321, gid=54321)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that everybody can reach: pytest's own are private."""
    folder = Path("/tmp") / f"intelliwiz-open-{os.getpid()}"  # noqa: S108 - the point is that all can reach it
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    yield folder
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir()
    folder.rmdir()


def test_a_private_folder_above_bars_the_way(open_folder: Path) -> None:
    inner = open_folder / "home" / "checkout"
    inner.mkdir(parents=True)
    assert postgres_place.is_reachable(inner, NOBODY_IN_PARTICULAR)
    (open_folder / "home").chmod(0o700)
    assert not postgres_place.is_reachable(inner, NOBODY_IN_PARTICULAR)


def test_the_owner_of_a_private_folder_may_pass(open_folder: Path) -> None:
    open_folder.chmod(0o700)
    assert postgres_place.is_reachable(open_folder, Owner(uid=os.getuid(), gid=os.getgid()))


def test_a_link_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trap").symlink_to("/tmp")  # noqa: S108
    with pytest.raises(LocalError, match="remove it"):
        postgres_place.make_root_folder(tmp_path / "trap")


def test_a_folder_that_others_can_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    with pytest.raises(LocalError, match="only root can write"):
        postgres_place.make_root_folder(tmp_path / "shared")


@needs_root
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", NOBODY_IN_PARTICULAR.uid, NOBODY_IN_PARTICULAR.gid)
    with pytest.raises(LocalError, match="only root can write"):
        postgres_place.make_root_folder(tmp_path / "theirs")


def test_a_pid_file_whose_number_another_process_has_by_now_is_removed(tmp_path: Path) -> None:
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{tmp_path}\n1\n")
    forget_dead_server(tmp_path)
    assert not pid_file.exists()


def test_a_state_dir_always_has_the_same_place_elsewhere(tmp_path: Path) -> None:
    assert postgres_place.name_elsewhere(tmp_path) == postgres_place.name_elsewhere(tmp_path / "." / "x" / "..")
