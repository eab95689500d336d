"""Many idle consumers: `python -m tests.integration.broker.crowd URL COUNT`.

Each is a process of its own, with its own owner, heartbeat and connections; forked, so that fifty are light.
They consume with plain kombu.
"""

import os
import signal
import sys
from typing import Any

import django
from kombu import Connection, Consumer, Exchange, Queue

QUEUE = "high_priority"


def consume(url: str) -> None:
    def take(body: Any, message: Any) -> None:
        message.ack()

    with Connection(url) as connection:
        queue = Queue(QUEUE, Exchange(""), routing_key=QUEUE)
        with Consumer(connection, [queue], callbacks=[take], accept=["json"]):
            while True:
                connection.drain_events()


def main(url: str, count: int) -> None:
    django.setup()
    children = []
    for _ in range(count):
        if (pid := os.fork()) == 0:
            consume(url)
        children.append(pid)
    sys.stdin.read()  # until the test ends
    for pid in children:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
