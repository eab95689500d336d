"""Servers of a test's own: with a password, a socket, a replica or Sentinels, and nobody else's commands."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import redis

from deploy.local.valkey import binary

from ..workers import eventually

HOST = "127.0.0.1"
ADDRESSED = (sys.executable, "-m", "celery", "-A", "tests.integration.broker.addressed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class PrivateServer:
    """A Valkey on a free port in a short-lived folder. `settings` go into its configuration file."""

    def __init__(self, *settings: str, sentinel: bool = False, password: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bgjobs-"))  # short: a socket's path has little room
        self.port = free_port()
        self.socket = self.folder / "s"
        self.password = password
        lines = [f"bind {HOST}", f"port {self.port}", *([] if sentinel else ['save ""', f"unixsocket {self.socket}"])]
        lines += [f"requirepass {password}"] if password else []
        (self.folder / "conf").write_text("\n".join([*lines, *settings]) + "\n")
        self.process = subprocess.Popen(
            [str(binary()), "conf", *(["--sentinel"] if sentinel else [])],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        self.client = redis.Redis(HOST, self.port, password=password or None, decode_responses=True)
        eventually(self.answers)

    @property
    def url(self) -> str:
        return f"leased://{f':{self.password}@' if self.password else ''}{HOST}:{self.port}/0"

    def answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError):
            return bool(self.client.ping())
        return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder)


class Monitor:
    """The commands that clients send to a server; what scripts do on the server is left out."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._monitor: Any = client.monitor()
        self._connection = self._monitor.__enter__()
        self.until_mark("begin")  # our own connection says hello first

    def until_mark(self, mark: str) -> list[str]:
        """All commands since the last mark, up to a PING that says `mark`."""
        self._client.execute_command("PING", mark)
        seen: list[str] = []
        while True:
            line = self._connection.next_command()
            if line["command"].endswith(mark):
                return seen
            if line["client_type"] != "lua":
                seen.append(line["command"])

    def close(self) -> None:
        self._monitor.__exit__(None, None, None)
