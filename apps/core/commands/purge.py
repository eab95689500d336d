"""`manage.py jobs purge QUEUE --confirm QUEUE --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..operating import purge_queue
from .actors import add_actor_arguments, in_sentences, signature
from .queues import queue_name

NAME = "purge"
HELP = "set aside all that waits in a queue; `jobs restore` brings it back for a day"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", type=queue_name)
    parser.add_argument("--confirm", metavar="QUEUE", default="", help="its name once more")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, queue: str, confirm: str, **options: Any) -> None:
    """Raises CommandError where the name is not there twice."""
    with in_sentences():
        command.stdout.write(purge_queue(queue, typed_name=confirm, **signature(options)).detail)
