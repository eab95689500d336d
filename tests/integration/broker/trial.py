"""A record of what jobs did, in an append-only file: no server's trouble touches it."""

import base64
import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..workers import eventually
from .broker_servers import BrokerServer

QUEUE = "high_priority"


def note(event: str, number: Any, **details: Any) -> None:
    """Called by a job. A line is written by one call, so lines never mix."""
    line = json.dumps({"event": event, "number": number, "at": time.time(), "pid": os.getpid(), **details}) + "\n"
    file = os.open(os.environ["TRIAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


class Trial:
    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_environment(cls) -> "Trial":
        return cls(Path(os.environ["TRIAL"]))

    def lines(self, event: str = "start") -> list[dict[str, Any]]:
        text = self.path.read_text() if self.path.exists() else ""
        return [line for line in map(json.loads, text.splitlines()) if line["event"] == event]

    def counts(self, event: str = "start") -> Counter[Any]:
        """How often this has happened to each number."""
        return Counter(line["number"] for line in self.lines(event))

    def wait(self, count: int, event: str = "start", timeout: float = 30) -> list[dict[str, Any]]:
        """Waits for so many lines."""
        eventually(lambda: len(self.lines(event)) >= count, timeout)
        return self.lines(event)

    def wait_for(self, numbers: Iterable[Any], event: str = "end", timeout: float = 30) -> None:
        """Waits until this has happened to each of these numbers."""
        wanted = set(numbers)
        eventually(lambda: wanted <= set(self.counts(event)), timeout)


def text_of(task: str, *args: Any, eta: float | None = None, queue: str = QUEUE, **headers: Any) -> str:
    """A job's message as a producer puts it into the list."""
    job = headers.setdefault("id", str(uuid.uuid4()))
    body = json.dumps([args, {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}])
    return json.dumps(
        {
            "body": base64.b64encode(body.encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {
                "lang": "py",
                "task": f"test.trial.{task}",
                "eta": datetime.fromtimestamp(eta, UTC).isoformat() if eta is not None else None,
                "expires": None,
                "group": None,
                "retries": 0,
                "timelimit": [None, None],
                "root_id": job,
                "parent_id": None,
                "argsrepr": "...",
                "kwargsrepr": "...",
                "origin": "test",
                **headers,
            },
            "properties": {
                "correlation_id": job,
                "reply_to": str(uuid.uuid4()),
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid.uuid4()),
            },
        }
    )


def publish(server: BrokerServer, task: str, *args: Any, eta: float | None = None, **options: Any) -> str:
    """Enqueue one job, and return the text that lies in its list."""
    queue = options.get("queue", QUEUE)
    text = text_of(task, *args, eta=eta, **options)
    server.store.publish(queue, queue, text, due=eta or 0.0)
    return text


def publish_numbers(server: BrokerServer, task: str, numbers: Iterable[Any], *rest: Any) -> None:
    for number in numbers:
        publish(server, task, number, *rest)
