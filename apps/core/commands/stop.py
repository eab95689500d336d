"""`manage.py jobs stop NODE --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..operating import stop_worker
from .actors import add_actor_arguments, in_sentences, signature

NAME = "stop"
HELP = "end a worker once its running jobs have ended"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("node", metavar="NODE", help="its name, as in critical@host; see `jobs workers`")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, node: str, **options: Any) -> None:
    """Raises CommandError for a worker that does not answer."""
    with in_sentences():
        command.stdout.write(stop_worker(node, **signature(options)).detail)
