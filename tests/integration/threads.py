"""Work in threads, each with a database connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

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


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do all of them, starting together. Returns what each has returned, None for one that failed."""
    together = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(position: int, work: Callable[[], Any]) -> None:
        together.wait(20)
        results[position] = work()

    threads = [in_thread(lambda item=item: run(*item)) for item in enumerate(works)]  # type: ignore[misc]
    for thread in threads:
        thread.join(60)
    return results
