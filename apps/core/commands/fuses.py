"""`manage.py jobs fuses`"""

import json
from argparse import ArgumentParser
from typing import Any

import redis
from django.core.management.base import BaseCommand

from ..broker.fuses import Fuse
from .actors import unanswered
from .output import known, moment, show, table
from .queues import messages

NAME = "fuses"
HELP = "list the tasks of which no job starts: until when, who has said so, and why"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(command: BaseCommand, **options: Any) -> None:
    """Prints; that there is none is no error."""
    try:
        found = [facts_of(fuse) for _, fuse in sorted(messages().fuses().items())]
    except redis.RedisError as error:
        raise unanswered(error) from None
    if options["format"] == "json":
        command.stdout.write(json.dumps({"schema_version": 1, "fuses": found}))
        return
    rows = [(fuse["task"], fuse["until"], known(fuse["by"]), fuse["why"]) for fuse in found]
    parts = [table(command, ("task", "until", "by", "why"), rows, numbers=0)] if rows else ["No task is fused."]
    show(command, *parts, no_color=options["no_color"])


def facts_of(fuse: Fuse) -> dict[str, Any]:
    """For machines."""
    by, separator, why = fuse.why.partition(": ")
    return {
        "task": fuse.task,
        "until": moment(fuse.until),
        "by": by if separator else None,
        "why": why if separator else fuse.why,
    }
