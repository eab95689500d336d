"""Work in threads, each with a database connection of its own."""

import threading
from collections.abc import Callable

from django.db import connection


def in_thread(work: Callable[[], object]) -> threading.Thread:
    def body() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=body)
    thread.start()
    return thread


def at_once(*works: Callable[[], object]) -> None:
    """Do all of them, and wait until all have ended."""
    together = threading.Barrier(len(works))
    threads = [in_thread(lambda work=work: (together.wait(20), work())) for work in works]  # type: ignore[misc]
    for thread in threads:
        thread.join(60)
