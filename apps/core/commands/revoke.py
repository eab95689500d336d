"""`manage.py jobs revoke JOB... --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..operating import revoke_jobs
from .actors import add_actor_arguments, in_sentences, signature

NAME = "revoke"
HELP = "let jobs not start any more, wherever they wait; what runs runs on"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("jobs", metavar="JOB", nargs="+", help="its id")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, jobs: list[str], **options: Any) -> None:
    """That nothing is known of a job is no error: it may be enqueued yet."""
    with in_sentences():
        command.stdout.write(revoke_jobs(jobs, **signature(options)).detail)
