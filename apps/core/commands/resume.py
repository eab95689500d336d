"""`manage.py jobs resume QUEUE --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..operating import resume_queue
from .actors import add_actor_arguments, in_sentences, signature
from .queues import queue_name

NAME = "resume"
HELP = "end the pause of a queue"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", type=queue_name)
    add_actor_arguments(parser)


def run(command: BaseCommand, *, queue: str, **options: Any) -> None:
    """Resuming a queue that is not paused says so, and is no error."""
    with in_sentences():
        command.stdout.write(resume_queue(queue, **signature(options)).detail)
