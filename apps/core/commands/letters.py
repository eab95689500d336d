"""How dead letters are named on the command line."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any, Final

from django.core.management.base import CommandError

from ..dead_letters.models import DeadLetter
from ..dead_letters.reasons import REASONS
from ..dead_letters.selection import Selection
from ..runs.query import BadQueryError, RunQuery
from .instants import moment_in

SELECTING: Final = ("task", "queue", "reason_is", "fingerprint", "tenant", "since", "query")


def add_selection_arguments(parser: ArgumentParser, *, reason_flags: tuple[str, ...] = ("--reason-is",)) -> None:
    parser.add_argument("names", metavar="ID", nargs="*", help="of a dead letter, or of a job")
    parser.add_argument("--task", help="only those of this task")
    parser.add_argument("--queue", help="only those of this queue")
    parser.add_argument(
        *reason_flags, dest="reason_is", metavar="REASON", choices=tuple(REASONS), help="as in poison"
    )
    parser.add_argument("--fingerprint", help="only those of this trouble, as --group lists them")
    parser.add_argument("--tenant", help="only those of this tenant's id")
    parser.add_argument("--since", metavar="TIME", type=moment_in, help="given up since then: 2h, 1d, or in ISO 8601")
    parser.add_argument(
        "--query",
        metavar="WORDS",
        help='of jobs with such a run, as the dashboard searches for it: "task:send_mail since:2h"',
    )


def selection_of(options: dict[str, Any], *, state: str | None = None) -> Selection:
    """Raises CommandError for a query that is none, or that stands beside other options."""
    if options["query"] is not None:
        if options["names"] or any(options[name] is not None for name in SELECTING if name != "query"):
            raise CommandError("Say which either by --query or by ids and other options.")
        return Selection(runs=_query_in(options["query"]), state=state)
    return Selection(
        names=tuple(options["names"]),
        task=options["task"],
        queue=options["queue"],
        reason=options["reason_is"],
        fingerprint=options["fingerprint"],
        tenant=options["tenant"],
        since=options["since"],
        state=state,
    )


def _query_in(text: str) -> RunQuery:
    try:
        query = RunQuery.parse(text)
    except BadQueryError as error:
        raise CommandError(f"--query: {error}") from None
    if not query:
        raise CommandError('--query: say which, as in "task:send_mail since:2h".')
    return query


def open_selection(options: dict[str, Any]) -> Selection:
    """Which open letters are meant. Raises CommandError where nothing says which."""
    selection = selection_of(options)
    if not selection:
        given = ", ".join(f"--{name.replace('_', '-')}" for name in SELECTING)
        raise CommandError(f"Say which: by ids, as `jobs dead-letters` lists them, or by {given}.")
    return selection


def in_iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def brief(letter: DeadLetter) -> str:
    """The trouble in one line."""
    words = ": ".join(filter(None, (letter.error, " ".join(letter.error_text.split()))))
    return words if len(words) <= 100 else f"{words[:100]}…"
