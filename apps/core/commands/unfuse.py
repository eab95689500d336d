"""`manage.py jobs unfuse TASK --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..operating import unfuse_task
from .actors import add_actor_arguments, in_sentences, signature

NAME = "unfuse"
HELP = "let jobs of a task start again, the parked ones at once"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, task: str, **options: Any) -> None:
    """That the task is not fused is no error."""
    with in_sentences():
        command.stdout.write(unfuse_task(task, **signature(options)).detail)
