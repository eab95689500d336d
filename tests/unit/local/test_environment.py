import os
from pathlib import Path

import pytest

from deploy.local import environment
from deploy.local.environment import EnvironmentTrouble


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text("django==5.2\n")
    return path


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Makes an environment without pip, and tells how often that was asked for."""
    calls: list[Path] = []

    def make(place: Path, lock: Path) -> None:
        calls.append(place)
        (place / "bin").mkdir(parents=True, exist_ok=True)
        (place / "bin" / "python").touch()

    monkeypatch.setattr(environment, "make", make)
    return calls


def test_an_environment_is_made_once(tmp_path: Path, lock: Path, made: list[Path]) -> None:
    for _ in range(3):
        environment.ensure(tmp_path / ".venv", lock)
    assert made == [tmp_path / ".venv"]


def test_a_half_made_environment_is_made_anew(tmp_path: Path, lock: Path, made: list[Path]) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    environment.ensure(tmp_path / ".venv", lock)
    assert len(made) == 1


def test_an_environment_without_its_interpreter_is_made_anew(tmp_path: Path, lock: Path, made: list[Path]) -> None:
    environment.ensure(tmp_path / ".venv", lock)
    (tmp_path / ".venv" / "bin" / "python").unlink()
    environment.ensure(tmp_path / ".venv", lock)
    assert len(made) == 2


def test_a_new_lock_or_another_place_makes_the_environment_anew(tmp_path: Path, lock: Path, made: list[Path]) -> None:
    environment.ensure(tmp_path / ".venv", lock)
    lock.write_text("django==5.3\n")
    environment.ensure(tmp_path / ".venv", lock)
    moved = tmp_path / "moved"
    moved.mkdir()
    (tmp_path / ".venv").rename(moved / ".venv")
    environment.ensure(moved / ".venv", lock)
    assert len(made) == 3


def test_an_interrupted_making_leaves_no_stamp(tmp_path: Path, lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(place: Path, lock: Path) -> None:
        place.mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "make", interrupted)
    with pytest.raises(KeyboardInterrupt):
        environment.ensure(tmp_path / ".venv", lock)
    assert not (tmp_path / ".venv" / environment.STAMP).exists()


def test_an_old_python_is_told_which_one_is_needed() -> None:
    with pytest.raises(EnvironmentTrouble, match=r"Python 3\.11 or newer is needed and python3 is 3\.9"):
        environment.refuse_old_python((3, 9))


def test_a_missing_module_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentTrouble, match="apt-get install python3-venv"):
        environment.refuse_missing_modules()


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("WARNING: Retrying … Temporary failure in name resolution\nERROR: No matching distribution", "network"),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
        ("Collecting x\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n", "DO NOT MATCH THE HASHES"),
        ("", "it said nothing"),
    ],
)
def test_what_pip_says_becomes_one_line(output: str, said: str) -> None:
    line = environment.explain(output)
    assert said in line
    assert "\n" not in line


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, lock: Path) -> None:
    closed = Path("/sys") if os.geteuid() == 0 else tmp_path / "closed"  # not even root may write to /sys
    if closed.is_relative_to(tmp_path):
        closed.mkdir(mode=0o500)
    with pytest.raises(EnvironmentTrouble, match=str(closed / ".venv")):
        environment.ensure(closed / ".venv", lock)


def test_trouble_is_one_line_and_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def trouble(place: Path, lock: Path) -> None:
        raise EnvironmentTrouble("install it and repeat")

    monkeypatch.setattr(environment, "ensure", trouble)
    with pytest.raises(SystemExit, match=r"^install it and repeat$"):
        environment.main(tmp_path)
