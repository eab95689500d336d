"""What a process started without BROKER_URL and the like needs to know of the embedded servers.

`make services` and `make run` start them and write their addresses to `services.json`.
"""

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServices:
    """Addresses of the embedded servers. The defaults are addresses where nobody listens."""

    database_url: str = "postgresql://postgres@127.0.0.1:1/intelliwiz"
    broker_url: str = "leased://127.0.0.1:1/0"
    result_url: str = "redis://127.0.0.1:1/1"
    smtp_url: str = "smtp://127.0.0.1:1"

    def save(self, state_dir: Path) -> None:
        path = _path(state_dir)
        unfinished = path.with_suffix(".tmp")
        with open(unfinished, "w", opener=_owner_only) as file:  # it holds the servers' passwords
            json.dump(asdict(self), file)
        unfinished.replace(path)

    def are_up(self) -> bool:
        return all(_answers(url) for url in {self.database_url, self.broker_url})


def load(state_dir: Path) -> LocalServices:
    """The recorded addresses, or ones that nobody listens on where none are recorded."""
    try:
        return LocalServices(**json.loads(_path(state_dir).read_text()))
    except FileNotFoundError:
        return LocalServices()


def require(state_dir: Path) -> None:
    """End the process with one clear line where it depends on embedded servers that are not running."""
    if not {"DATABASE_URL", "BROKER_URL"} <= os.environ.keys() and not load(state_dir).are_up():
        raise SystemExit(
            "The embedded servers are not running: start them with `make services`, "
            "or name your own in DATABASE_URL and BROKER_URL."
        )


def forget(state_dir: Path) -> None:
    _path(state_dir).unlink(missing_ok=True)


def secret_key(state_dir: Path) -> str:
    """A SECRET_KEY of this checkout's own, made at random on first use."""
    path = state_dir / "secret_key"
    state_dir.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", opener=_owner_only) as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()


def _path(state_dir: Path) -> Path:
    return state_dir / "services.json"


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _answers(url: str) -> bool:
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname or "127.0.0.1", address.port or 0), timeout=1):
            return True
    except OSError:
        return False
