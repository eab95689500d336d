import os
from collections import namedtuple
from pathlib import Path

import pytest

from deploy.local import run, state
from deploy.local.errors import LocalError
from deploy.local.state import kept_secret, prepare


def test_a_file_in_the_place_of_the_state_dir_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    with pytest.raises(LocalError, match="name another folder in STATE_DIR"):
        prepare(tmp_path / "var")


def test_a_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = namedtuple("disk", "f_bavail f_frsize")(10, 4096)
    monkeypatch.setattr(state.os, "statvfs", lambda path: disk)
    with pytest.raises(LocalError, match="is full"):
        prepare(tmp_path / "var")


def test_a_secret_is_made_once_and_private(tmp_path: Path) -> None:
    secret = kept_secret(tmp_path / "password")
    assert kept_secret(tmp_path / "password") == secret
    assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("port", ["web", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PORT", port)
    with pytest.raises(LocalError, match="PORT=8001"):
        run.web_port()
