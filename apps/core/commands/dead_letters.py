"""`manage.py jobs dead-letters [ID...] [--task T] [--reason R] [--group] ...`"""

import json
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db.models import Count, Max, Min, Q
from rich.markup import escape

from ..dead_letters.arguments import hide, shown
from ..dead_letters.models import DeadLetter
from ..dead_letters.selection import Selection
from .letters import add_selection_arguments, brief, in_iso, selection_of
from .output import known, show, table

NAME = "dead-letters"
HELP = "list jobs that were given up, what each trouble is, or all about some of them"

OPEN: Final = Q(state=DeadLetter.State.OPEN)


def add_arguments(parser: ArgumentParser) -> None:
    add_selection_arguments(parser, reason_flags=("--reason", "--reason-is"))
    parser.add_argument(
        "--state", choices=(*DeadLetter.State.values, "any"), help="open, if neither this nor an ID is given"
    )
    parser.add_argument("--group", action="store_true", help="one line for each trouble: how many, since when")
    parser.add_argument("--limit", type=int, default=100, help="list so many at most (100)")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(command: BaseCommand, **options: Any) -> None:
    """Prints; that there is none is no error."""
    state = options["state"] or ("any" if options["names"] else "open")
    selection = selection_of(options, state=None if state == "any" else state)
    if options["group"]:
        _groups(command, selection, options)
        return
    count = selection.letters().count()
    found = list(selection.letters()[: options["limit"]])
    if options["format"] == "json":
        facts = {"schema_version": 1, "count": count, "dead_letters": [facts_of(one) for one in found]}
        command.stdout.write(json.dumps(facts))
    elif options["names"]:
        show(command, *(_in_full(one) for one in found), f"{count} found", no_color=options["no_color"])
    else:
        headings = ("id", "reason", "given up", "attempts", "queue", "task", "job", "fingerprint", "error")
        rows = [
            (
                str(one.pk),
                one.reason if one.state == DeadLetter.State.OPEN else f"{one.reason} ({one.state})",
                known(in_iso(one.last_at)),
                str(one.attempts),
                one.queue,
                known(one.task or None),
                known(one.job or None),
                one.fingerprint,
                brief(one),
            )
            for one in found
        ]
        end = f"{len(found)} of {count}" if count else "No dead letter matches."
        show(
            command,
            *([table(command, headings, rows, numbers=0)] if rows else []),
            end,
            no_color=options["no_color"],
        )


def _groups(command: BaseCommand, selection: Selection, options: dict[str, Any]) -> None:
    groups = list(
        selection.letters()
        .order_by()
        .values("fingerprint", "task", "error")
        .annotate(
            count=Count("pk"),
            open=Count("pk", filter=OPEN),
            reason=Max("reason"),
            first=Min("first_at"),
            last=Max("last_at"),
            latest=Max("pk"),
        )
        .order_by("-last")[: options["limit"]]
    )
    if options["format"] == "json":
        facts = [one | {"first": in_iso(one["first"]), "last": in_iso(one["last"])} for one in groups]
        command.stdout.write(json.dumps({"schema_version": 1, "groups": facts}))
        return
    headings = ("fingerprint", "open", "of", "first", "last", "reason", "task", "error", "latest")
    rows = [
        (
            one["fingerprint"],
            str(one["open"]),
            str(one["count"]),
            known(in_iso(one["first"])),
            known(in_iso(one["last"])),
            one["reason"],
            known(one["task"] or None),
            one["error"],
            str(one["latest"]),
        )
        for one in groups
    ]
    parts = [table(command, headings, rows, numbers=2)] if rows else ["No dead letter matches."]
    show(command, *parts, no_color=options["no_color"])


def facts_of(letter: DeadLetter) -> dict[str, Any]:
    """For machines; null: not known."""
    message = bytes(letter.message)
    return {
        "id": letter.pk,
        "state": letter.state,
        "closed_at": in_iso(letter.closed_at),
        "reason": letter.reason,
        "task": letter.task or None,
        "job": letter.job or None,
        "queue": letter.queue,
        "error": letter.error or None,
        "error_text": hide(message, letter.error_text),
        "traceback": hide(message, letter.traceback) or None,
        "fingerprint": letter.fingerprint,
        "attempts": letter.attempts,
        "first_at": in_iso(letter.first_at),
        "last_at": in_iso(letter.last_at),
        "tenant": letter.tenant or None,
        "correlation_id": letter.correlation_id or None,
        "idempotency_key": hide(message, letter.idempotency_key) or None,
        "history": letter.history,
        "arguments": shown(message),
        "bytes": len(message),
    }


def _in_full(letter: DeadLetter) -> str:
    """All that may be shown, for people."""
    facts = facts_of(letter)
    arguments, trace = facts.pop("arguments"), facts.pop("traceback")
    lines = [f"{name:<16} {value}" for name, value in facts.items() if value not in (None, "", [])]
    if arguments is None:
        lines.append("arguments        unreadable")
    else:
        lines += [f"  {name:<14} {value}" for name, value in arguments.items()]
    return escape("\n".join([*lines, *([trace.rstrip()] if trace else []), ""]))
