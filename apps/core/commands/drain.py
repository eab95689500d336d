"""`manage.py jobs drain [QUEUE...] [--timeout 10m]`"""

import json
from argparse import ArgumentParser
from contextlib import nullcontext
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from ..broker.draining import Look, looks
from ..durations import in_words, seconds_in
from ..queues import QUEUES
from .queues import messages, queue_name

NAME = "drain"
HELP = "wait until nothing of these queues is ready, delayed or running"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("queues", metavar="QUEUE", nargs="*", type=queue_name, help="all, if none is named")
    parser.add_argument("--timeout", metavar="TIME", type=seconds_in, default=600.0, help="10m, if not given")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(command: BaseCommand, *, queues: list[str], timeout: float, **options: Any) -> None:
    """Raises CommandError (exit 1) with what is left when the time is over."""
    names = queues or [queue.name for queue in QUEUES]
    terminal = Console(stderr=True)
    progress = terminal.status("looking") if terminal.is_terminal and command.stderr.isatty() else None
    look = Look(left=None)
    with progress or nullcontext():
        for look in looks(messages(), names, timeout=timeout):
            if progress:
                progress.update(in_one_line(look))
    if options["format"] == "json":
        command.stdout.write(json.dumps(facts_of(look)))
    if not look.is_empty:
        raise CommandError(f"After {in_words(timeout)}: {in_one_line(look)}.")
    if options["format"] == "text":
        command.stdout.write(f"Nothing is left in {', '.join(names)}.")


def facts_of(look: Look) -> dict[str, Any]:
    left = None
    if look.left is not None:
        left = {
            name: {
                "ready": depth.ready,
                "delayed": depth.delayed,
                "leased": depth.leased,
                "paused": depth.pause is not None,
            }
            for name, depth in look.left.items()
        }
    return {"drained": look.is_empty, "left": left}


def in_one_line(look: Look) -> str:
    if look.left is None:
        return "the server does not answer"
    return "; ".join(
        f"{name}: {depth.ready} ready, {depth.delayed} delayed, {depth.leased} running"
        + (" (it is paused, so it will not empty)" if depth.pause else "")
        for name, depth in look.left.items()
    )
