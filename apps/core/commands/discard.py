"""`manage.py jobs discard ID... | --task T | --fingerprint F ... --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..operating import count_letters, discard_letters
from .actors import add_actor_arguments, in_sentences, signature
from .letters import add_selection_arguments, open_selection

NAME = "discard"
HELP = "close dead letters that need not run again; they can be looked at until they are removed"


def add_arguments(parser: ArgumentParser) -> None:
    add_selection_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say how many they are")
    add_actor_arguments(parser, required=False)


def run(command: BaseCommand, **options: Any) -> None:
    """Raises CommandError where nothing is named or known by that name."""
    selection = open_selection(options)
    with in_sentences():
        if options["dry_run"]:
            command.stdout.write(f"{count_letters(selection)} would be discarded.")
        else:
            command.stdout.write(discard_letters(selection, **signature(options)).detail)
