"""`manage.py jobs fire ENTRY --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..operating import fire_entry
from .actors import add_actor_arguments, in_sentences, signature

NAME = "fire"
HELP = "fire an entry of the timetable now, whenever it is due"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("entry", metavar="ENTRY", help="its name in the timetable")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, entry: str, **options: Any) -> None:
    """Raises CommandError for an unknown entry, and for a job that is refused."""
    with in_sentences():
        command.stdout.write(fire_entry(entry, **signature(options)).detail)
