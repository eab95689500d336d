"""The server of a run: a Valkey of its own, with an append-only file, that is killed and comes back."""

import signal
import time
from dataclasses import replace
from pathlib import Path

import redis

from deploy.local import ports
from deploy.local.stack import wait_for
from deploy.local.supervisor import Supervisor
from deploy.local.valkey import Valkey

from .scenario import QUEUES

PATIENCE = 60.0  # seconds until it serves


class Server:
    def __init__(self, state_dir: Path, supervisor: Supervisor, name: str = "valkey") -> None:
        self._valkey = Valkey(state_dir, ports.choose(state_dir, ("valkey",))["valkey"])
        self._command = replace(self._valkey.prepare(), name=name, stop_signal=signal.SIGKILL)
        self._supervisor = supervisor
        self.client = redis.Redis.from_url(self._valkey.url(0), decode_responses=True)

    def url(self, scheme: str, database: int = 0) -> str:
        return self._valkey.url(database, scheme)

    def start(self) -> None:
        self._supervisor.start(self._command)
        wait_for(self._command.name, self._valkey.answers, PATIENCE, lambda: None)

    def stop(self) -> None:
        """kill -9."""
        self._supervisor.stop([self._command.name], grace=0)

    def kill(self, down: float) -> None:
        """kill -9, and a new start `down` seconds later. Returns when it serves again."""
        self.stop()
        time.sleep(down)
        self.start()

    def drop_connections(self) -> None:
        for kind in ("normal", "pubsub"):
            self.client.client_kill_filter(_type=kind, skipme=True)

    def fill_memory(self, seconds: float) -> None:
        """Refuse all writes that need memory."""
        usual = self.client.config_get("maxmemory")["maxmemory"]
        self.client.config_set("maxmemory", self.client.info("memory")["used_memory"] // 2)
        time.sleep(seconds)
        self.client.config_set("maxmemory", usual)

    def messages(self) -> dict[str, int]:
        """Where messages are, of either broker, and how many: only places that hold any."""
        counts = {queue: self.client.llen(queue) for queue in QUEUES}
        counts["unacknowledged"] = self.client.hlen("unacked")
        counts["quarantined"] = self.client.hlen("bgjobs:quarantine")
        counts["delayed"] = sum(self.client.zcard(f"bgjobs:delayed:{queue}") for queue in QUEUES)
        counts["leased"] = sum(self.client.hlen(key) for key in self.client.scan_iter("bgjobs:leases:*"))
        return {place: count for place, count in counts.items() if count}
