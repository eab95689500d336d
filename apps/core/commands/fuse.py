"""`manage.py jobs fuse TASK --for 30m --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..durations import seconds_in
from ..operating import fuse_task
from .actors import add_actor_arguments, in_sentences, signature

NAME = "fuse"
HELP = "let no job of a task start for a while; they are parked, and what runs runs on"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK")
    parser.add_argument("--for", dest="seconds", metavar="TIME", type=seconds_in, required=True, help="1m to 1d")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, task: str, seconds: float, **options: Any) -> None:
    """A fuse takes the place of an earlier one of the same task."""
    with in_sentences():
        command.stdout.write(fuse_task(task, seconds=seconds, **signature(options)).detail)
