"""`manage.py jobs restore QUEUE --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..operating import restore_purged
from .actors import add_actor_arguments, in_sentences, signature
from .queues import queue_name

NAME = "restore"
HELP = "bring back what was purged from a queue in the last day"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", type=queue_name)
    add_actor_arguments(parser)


def run(command: BaseCommand, *, queue: str, **options: Any) -> None:
    """That there was nothing to bring back is no error."""
    with in_sentences():
        command.stdout.write(restore_purged(queue, **signature(options)).detail)
