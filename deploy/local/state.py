"""The state dir: the one folder that everything of this package is written to."""

import os
import secrets
from pathlib import Path

from .command import CHECKOUT
from .errors import LocalError

LEAST_FREE = 200_000_000  # bytes; a fresh database and its journal take about 60 MB
FOLDERS = ("log", "mail", "running", "tmp")


def chosen_state_dir() -> Path:
    """STATE_DIR of the environment, else `var` in the checkout."""
    return Path(os.environ.get("STATE_DIR") or CHECKOUT / "var").resolve()


def prepare(state_dir: Path) -> Path:
    """Makes the folder where it is missing. Raises LocalError when it cannot hold what is to come."""
    try:
        if not state_dir.exists():
            state_dir.mkdir(parents=True)
            state_dir.chmod(0o711)  # a server may run as another user, who must be able to pass through
        for name in FOLDERS:
            (state_dir / name).mkdir(mode=0o700, exist_ok=True)
        probe = state_dir / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
        disk = os.statvfs(state_dir)
    except OSError as error:
        raise LocalError(
            f"{state_dir} cannot be written ({error.strerror}): "
            "give this user the right to, or name another folder in STATE_DIR."
        ) from None
    if disk.f_bavail * disk.f_frsize < LEAST_FREE:
        raise LocalError(
            f"The disk of {state_dir} is full: free at least {LEAST_FREE // 1_000_000} MB, "
            "or name a folder on another disk in STATE_DIR."
        )
    return state_dir


def kept_secret(path: Path) -> str:
    """A random password that is made on first use and readable by its owner only."""
    try:
        with open(path, "x", opener=owner_only) as file:
            file.write(secrets.token_urlsafe(18))
    except FileExistsError:
        pass
    return path.read_text().strip()


def owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
