"""Owners of leases that are no processes: what they claim is held by a name."""

import uuid

from .broker_servers import BrokerServer


def live(server: BrokerServer, name: str, seconds: float = 60) -> None:
    server.client.set(f"bgjobs:owner:{name}", 1, px=int(seconds * 1000))
    server.client.sadd("bgjobs:owners", name)


def owner(server: BrokerServer, seconds: float = 60) -> str:
    """A new one, who is alive for so long."""
    name = f"owner-{uuid.uuid4().hex[:8]}"
    live(server, name, seconds)
    return name


def die(server: BrokerServer, name: str) -> None:
    server.client.delete(f"bgjobs:owner:{name}")
