"""How dead letters are named on the command line."""

from argparse import ArgumentParser, ArgumentTypeError
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.core.management.base import CommandError
from django.utils import timezone

from ..dead_letters.models import DeadLetter
from ..dead_letters.reasons import REASONS
from ..dead_letters.selection import Selection
from .durations import seconds_in

SELECTING: Final = ("task", "queue", "reason_is", "fingerprint", "tenant", "since")


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


def selection_of(options: dict[str, Any], *, state: str | None = None) -> Selection:
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


def open_selection(options: dict[str, Any]) -> tuple[Selection, int]:
    """Which open letters are meant, and how many they are.

    Raises CommandError where nothing says which, and for a name of none that is open.
    """
    selection = selection_of(options)
    if not selection:
        given = ", ".join(f"--{name.replace('_', '-')}" for name in SELECTING)
        raise CommandError(f"Say which: by ids, as `jobs dead-letters` lists them, or by {given}.")
    letters = selection.open_letters()
    found = (
        {name for pk, job in letters.values_list("pk", "job") for name in (str(pk), job)}
        if selection.names
        else set()
    )
    if missing := [name for name in selection.names if name not in found]:
        raise CommandError(
            f"No open dead letter is named {', '.join(missing)}: it has been replayed or discarded, or never was; "
            f"see `jobs dead-letters {missing[0]}`."
        )
    return selection, letters.count()


def moment_in(text: str) -> datetime:
    """An argument's type: a span of time before now, or a moment; one without a zone is in UTC."""
    with suppress(ArgumentTypeError):
        return timezone.now() - timedelta(seconds=seconds_in(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time; write it as in 2h, 1d or 2026-11-24T03:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def in_iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def brief(letter: DeadLetter) -> str:
    """The trouble in one line."""
    words = ": ".join(filter(None, (letter.error, " ".join(letter.error_text.split()))))
    return words if len(words) <= 100 else f"{words[:100]}…"
