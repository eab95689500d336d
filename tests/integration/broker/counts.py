"""Reading what the scripts have counted."""

import json
from typing import Any

from .broker_servers import BrokerServer


def counts(server: BrokerServer) -> dict[str, int]:
    """All that was ever counted, by field: what is added up, and the minute that is open."""
    found: dict[str, int] = {}
    keys = ["bgjobs:counts:total"]
    if (minute := server.client.get("bgjobs:counts:open")) is not None:
        keys.append(f"bgjobs:counts:m:{minute.decode()}")
    for key in keys:
        for name, number in server.client.hgetall(key).items():
            found[name.decode()] = found.get(name.decode(), 0) + int(number)
    return found


def counted(server: BrokerServer, event: str, queue: str = "high_priority", reason: str = "-") -> int:
    """Of one event, over all tasks."""
    return sum(number for name, number in counts(server).items() if name.startswith(f"{event} {queue} {reason} "))


def notes(server: BrokerServer) -> list[dict[str, Any]]:
    """The history: of each attempt its key, its event, reason and task, and the facts."""
    found = []
    for _, fields in server.client.xrange("bgjobs:runs"):
        owner = fields.pop(b"o").decode()
        for lease, note in fields.items():
            head, _, facts = note.decode().split("\n", 2)
            event, reason, queue, *_, task = head.split(" ", 7)
            named = {
                "key": f"{owner} {lease.decode()}",
                "event": event,
                "reason": reason,
                "queue": queue,
                "task": task,
            }
            found.append(named | json.loads(facts))
    return found
