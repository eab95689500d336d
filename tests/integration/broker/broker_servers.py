"""Durable servers of a test's own, which it may kill, restart and fill."""

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from apps.core.broker import MessageStore
from deploy.local.valkey import binary

from ..workers import unfinished
from .private_server import HOST, free_port

PATIENCE = 20  # seconds until it answers
DURABLE = (
    *("--bind", HOST, "--save", "", "--loglevel", "warning", "--appendonly", "yes", "--appendfsync", "everysec"),
    *("--maxmemory-policy", "noeviction"),
)


def program(kind: str) -> str:
    """The server's binary. Skips the test where this machine has none."""
    if kind == "valkey":
        return str(binary())
    found = shutil.which("redis-server")
    if found is None:
        pytest.skip("there is no redis-server on PATH")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if " v=7." not in version:
        pytest.skip(f"redis-server on PATH is no Redis 7: {version.strip()}")
    return found


class BrokerServer:
    """`kind` is "valkey" or "redis". `client` answers bytes."""

    def __init__(self, kind: str, *options: str) -> None:
        self.kind = kind
        self.folder = Path(tempfile.mkdtemp(prefix="bgjobs-"))
        self.port = free_port()
        self.client = redis.Redis(HOST, self.port, socket_timeout=10)
        self.store = MessageStore(redis.Redis(HOST, self.port, socket_timeout=10))
        self._command = (program(kind), *DURABLE, "--port", str(self.port), "--dir", str(self.folder), *options)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"leased://{HOST}:{self.port}/0"

    def start(self, *options: str, wait: bool = True) -> None:
        """`wait`: until it has loaded its data."""
        self._process = subprocess.Popen((*self._command, *options), stdout=subprocess.DEVNULL)
        if not wait:
            return
        until = time.monotonic() + PATIENCE
        while not self.answers():
            if time.monotonic() > until or self._process.poll() is not None:
                pytest.fail(f"{self.kind} does not answer")
            time.sleep(0.01)

    def answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError):  # also while it is loading
            return bool(self.client.ping())
        return False

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def drop_connections(self) -> None:
        """Close every client's connection, our own excepted."""
        for kind in ("normal", "pubsub"):
            self.client.client_kill_filter(_type=kind, skipme=True)

    def commands(self) -> int:
        """How many commands it has processed, scripts' own included."""
        found: dict[str, dict[str, Any]] = self.client.info("commandstats")
        return sum(one["calls"] for one in found.values())

    def close(self) -> None:
        self.kill()
        self.client.close()
        self.store.client.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Where messages are.

    def leases(self) -> dict[str, dict[bytes, bytes]]:
        """Each owner's leases, of owners that have any."""
        keys = self.client.keys("bgjobs:leases:*")
        return {key.decode().removeprefix("bgjobs:leases:"): self.client.hgetall(key) for key in keys}

    def leased(self) -> int:
        return sum(len(held) for held in self.leases().values())

    def waiting(self, queue: str = "high_priority") -> int:
        return sum(int(self.client.llen(f"{queue}{step}")) for step in ("", "\x06\x163", "\x06\x166", "\x06\x169"))

    def delayed(self, queue: str = "high_priority") -> int:
        return int(self.client.zcard(f"bgjobs:delayed:{queue}"))

    def places(self, queue: str = "high_priority") -> list[bytes]:
        """The text of every message, once for each place that it is in."""
        lists = [queue + step for step in ("", "\x06\x163", "\x06\x166", "\x06\x169")]
        texts = [text for name in lists for text in self.client.lrange(name, 0, -1)]
        entries = [*self.client.zrange(f"bgjobs:delayed:{queue}", 0, -1)]
        entries += [entry for held in self.leases().values() for entry in held.values()]
        return [*texts, *(entry.partition(b"\n")[2] for entry in entries), *self.client.hvals("bgjobs:quarantine")]

    def settled(self) -> bool:
        """Whether no message waits, is delayed or is held by anybody."""
        return not unfinished(self.client, "high_priority")


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def children_of(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(status.parent.name))
    return found
