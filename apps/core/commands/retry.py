"""`manage.py jobs retry ID... | --task T | --fingerprint F ... --reason WHY`"""

import json
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ..actions import ACTIONS
from ..dead_letters.arguments import WrongArgumentsError, check_arguments
from ..dead_letters.original import Arguments
from ..dead_letters.replay import Replay, Replayed, replay
from ..dead_letters.selection import Selection
from .actors import act, add_actor_arguments, named_actor
from .durations import in_words
from .letters import add_selection_arguments, open_selection

NAME = "retry"
HELP = "run jobs again that were given up, each exactly as it was enqueued"


def add_arguments(parser: ArgumentParser) -> None:
    add_selection_arguments(parser)
    parser.add_argument("--rate", type=rate_in, help="so many jobs a second at most, as in 50")
    parser.add_argument("--release-key", action="store_true", help="forget their idempotency keys first")
    parser.add_argument(
        "--args", dest="arguments", metavar="JSON", type=arguments_in, help="of one job, in place of its own"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say how many they are")
    add_actor_arguments(parser, required=False)


def run(command: BaseCommand, *, reason: str | None, as_user: str | None, dry_run: bool, **options: Any) -> None:
    """Raises CommandError where nothing is named or known by that name, and for letters that cannot be replayed."""
    selection, expected = open_selection(options)
    actor = named_actor(as_user)
    if options["release_key"] and not actor.may(release := ACTIONS["release-key"]):
        raise CommandError(f"{actor.name} may not {release.words}.")
    how = Replay(release_key=options["release_key"], arguments=options["arguments"], rate=options["rate"])
    if how.arguments is not None:
        _check(selection, how.arguments, expected)
    if dry_run:
        command.stdout.write(f"{expected} would be replayed.")
        return
    done = Replayed()

    def work() -> int:
        nonlocal done
        done = replay(selection, how)
        return done.count

    target = (
        str(selection) + (", key released" if how.release_key else "") + (", new arguments" if how.arguments else "")
    )
    act(
        "replay-dead-letters",
        work,
        actor=actor,
        target=target,
        reason=reason,
        expected=expected,
    )
    command.stdout.write(in_a_sentence(done, how))
    if done.unreadable and selection.names:
        ids = ", ".join(map(str, done.unreadable))
        raise CommandError(f"{ids}: the message is no job's, so it cannot be replayed; `jobs discard {ids}`.")


def in_a_sentence(done: Replayed, how: Replay) -> str:
    span = f", over {in_words(done.count / how.rate)}" if how.rate and done.count > how.rate else ""
    parts = [f"{done.count} replayed{span}: the relay publishes them."]
    if done.held_back:
        parts.append(f"{len(done.held_back)} stay: another job waits or runs in their place.")
    if done.unreadable:
        parts.append(f"{len(done.unreadable)} stay: their messages are no jobs', and can only be discarded.")
    return " ".join(parts)


def _check(selection: Selection, arguments: Arguments, expected: int) -> None:
    if expected != 1:
        raise CommandError(f"--args are those of one job, and this names {expected}.")
    try:
        check_arguments(selection.open_letters().get().task, arguments)
    except WrongArgumentsError as error:
        raise CommandError(str(error)) from None


def arguments_in(text: str) -> Arguments:
    """An argument's type: a list of arguments, or an object of named ones."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"it is not JSON ({error})") from None
    if isinstance(value, list):
        return value, {}
    if isinstance(value, dict):
        return [], value
    raise ArgumentTypeError("write a list, as in '[7]', or an object of names, as in '{\"order_id\": 7}'")


def rate_in(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no number of jobs a second above 0")
    return rate
