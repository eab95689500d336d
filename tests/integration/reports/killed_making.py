"""Runs that are killed on the way: a script for test_making_killed.py.

For each line of its input, a place, an instant and the folder of reports with tabs between, it makes what is due in a
child, and says which signal has ended that.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import django
from django.conf import settings

django.setup()

from apps.reports import files, making, services  # noqa: E402 - only after the set-up


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_behind(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **options: Any) -> None:
        function(*arguments, **options)
        die()

    return wrapped


def half_of_it(content: Any, format_: Any, path: Path, **_: Any) -> None:
    path.write_text("half of it")


def make(place: str, instant: str, root: str) -> None:
    settings.REPORTS_ROOT = Path(root)
    match place:
        case "in the middle of the file":
            making.render = killed_behind(half_of_it)
        case "behind the file":
            files.write = killed_behind(files.write)
        case "behind the row":
            making._record = killed_behind(making._record)
    services.make_due(
        now=datetime.fromisoformat(instant),
        tell=lambda disabled: None,
        progress=lambda done, total, what: die() if done == 1 else None,
    )


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            make(*line.rstrip("\n").split("\t"))
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    sys.stdout.write(f"{os.WTERMSIG(status)}\n")
    sys.stdout.flush()
