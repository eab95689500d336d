"""`manage.py jobs pause-entry ENTRY --reason WHY [--for 2h]`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..durations import seconds_in
from ..operating import pause_entry
from .actors import add_actor_arguments, in_sentences, signature

NAME = "pause-entry"
HELP = "let no instant of an entry of the timetable be fired; each is recorded as paused"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("entry", metavar="ENTRY", help="its name in the timetable")
    parser.add_argument("--for", dest="seconds", metavar="TIME", type=seconds_in, default=0.0, help="then go on")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, entry: str, seconds: float, **options: Any) -> None:
    """A pause of a paused entry takes the place of the earlier one."""
    with in_sentences():
        command.stdout.write(pause_entry(entry, seconds=seconds, **signature(options)).detail)
