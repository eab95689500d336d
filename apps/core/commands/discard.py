"""`manage.py jobs discard ID... | --task T | --fingerprint F ... --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..dead_letters.discard import discard
from .actors import act, add_actor_arguments, named_actor
from .letters import add_selection_arguments, open_selection

NAME = "discard"
HELP = "close dead letters that need not run again; they can be looked at until they are removed"


def add_arguments(parser: ArgumentParser) -> None:
    add_selection_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say how many they are")
    add_actor_arguments(parser, required=False)


def run(command: BaseCommand, *, reason: str | None, as_user: str | None, dry_run: bool, **options: Any) -> None:
    """Raises CommandError where nothing is named or known by that name."""
    selection, expected = open_selection(options)
    if dry_run:
        command.stdout.write(f"{expected} would be discarded.")
        return
    row = act(
        "discard-dead-letters",
        lambda: discard(selection),
        actor=named_actor(as_user),
        target=str(selection),
        reason=reason,
        expected=expected,
    )
    command.stdout.write(f"{row.affected} discarded.")
