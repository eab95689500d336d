"""`manage.py jobs pause QUEUE --reason WHY [--for 30m]`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..durations import seconds_in
from ..operating import pause_queue
from .actors import add_actor_arguments, in_sentences, signature
from .queues import queue_name

NAME = "pause"
HELP = "stop all workers from taking jobs of a queue; what they have taken runs on"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", type=queue_name)
    parser.add_argument("--for", dest="seconds", metavar="TIME", type=seconds_in, default=0.0, help="then go on")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, queue: str, seconds: float, **options: Any) -> None:
    """A pause of a paused queue takes the place of the earlier one."""
    with in_sentences():
        command.stdout.write(pause_queue(queue, seconds=seconds, **signature(options)).detail)
