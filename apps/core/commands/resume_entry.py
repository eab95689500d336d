"""`manage.py jobs resume-entry ENTRY --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..operating import resume_entry
from .actors import add_actor_arguments, in_sentences, signature

NAME = "resume-entry"
HELP = "end the pause of an entry of the timetable; what fell into it is not caught up"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("entry", metavar="ENTRY", help="its name in the timetable")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, entry: str, **options: Any) -> None:
    """Resuming an entry that is not paused says so, and is no error."""
    with in_sentences():
        command.stdout.write(resume_entry(entry, **signature(options)).detail)
