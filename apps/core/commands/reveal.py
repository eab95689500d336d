"""`manage.py jobs reveal JOB --reason WHY`"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ..operating import reveal_arguments
from .actors import add_actor_arguments, in_sentences, signature

NAME = "reveal"
HELP = "show the arguments of a job as they are, sensitive ones too; the audit keeps who did, and why"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="its id, or that of its dead letter")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, job: str, **options: Any) -> None:
    """Prints JSON. Raises CommandError where the job's message is gone or cannot be read."""
    with in_sentences():
        row, arguments = reveal_arguments(job, **signature(options))
    if arguments is None:
        raise CommandError(row.detail)
    args, kwargs = arguments
    command.stdout.write(json.dumps({"args": args, "kwargs": kwargs}, default=str))
