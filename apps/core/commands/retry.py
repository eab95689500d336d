"""`manage.py jobs retry ID... | --task T | --fingerprint F ... --reason WHY`"""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ..dead_letters.replay import Replay
from ..operating import RefusedError, retry_letters
from ..operating.arguments import arguments_in
from ..operating.letters import count_for
from .actors import add_actor_arguments, in_sentences, signature
from .letters import add_selection_arguments, open_selection

NAME = "retry"
HELP = "run jobs again that were given up, each exactly as it was enqueued"


def add_arguments(parser: ArgumentParser) -> None:
    add_selection_arguments(parser)
    parser.add_argument("--rate", type=rate_in, help="so many jobs a second at most, as in 50")
    parser.add_argument("--release-key", action="store_true", help="forget their idempotency keys first")
    parser.add_argument(
        "--args", dest="arguments", metavar="JSON", type=arguments_of, help="of one job, in place of its own"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say how many they are")
    add_actor_arguments(parser, required=False)


def run(command: BaseCommand, **options: Any) -> None:
    """Raises CommandError where nothing is named or known by that name, and for letters that are named and stay."""
    selection = open_selection(options)
    how = Replay(release_key=options["release_key"], arguments=options["arguments"], rate=options["rate"])
    with in_sentences():
        if options["dry_run"]:
            command.stdout.write(f"{count_for(selection, how)} would be replayed.")
            return
        row = retry_letters(selection, how=how, **signature(options))
    if selection.names and row.affected != row.expected:
        raise CommandError(row.detail)
    command.stdout.write(row.detail)


def arguments_of(text: str) -> Any:
    """An argument's type: a list of arguments, or an object of named ones."""
    try:
        return arguments_in(text)
    except RefusedError as error:
        raise ArgumentTypeError(str(error)) from None


def rate_in(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no number of jobs a second above 0")
    return rate
