"""`manage.py jobs audit [--actor A] [--action X] [--target T] [--result R] [--since 2h] ...`"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..actions import ACTIONS
from ..models import OperatorAction
from .instants import moment_in
from .letters import in_iso
from .output import known, show, table

NAME = "audit"
HELP = "list what operators did, the latest first: who, what, to which target, why, and what came of it"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--actor", help="only by this one: a user's name, or as in cli:root")
    parser.add_argument(
        "--action", dest="done", choices=tuple(ACTIONS), metavar="ACTION", help="only these, as in pause-queue"
    )
    parser.add_argument("--target", metavar="TEXT", help="only those whose target holds this text")
    parser.add_argument("--result", choices=tuple(OperatorAction.Result.values))
    parser.add_argument("--since", metavar="TIME", type=moment_in, help="begun since then: 2h, 1d, or in ISO 8601")
    parser.add_argument("--before", metavar="ID", type=int, help="only older ones than this row, to read on")
    parser.add_argument("--limit", type=int, default=50, help="list so many at most (50)")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(command: BaseCommand, **options: Any) -> None:
    """Prints; that there is none is no error."""
    given = {
        "actor": options["actor"],
        "action": options["done"],
        "target__contains": options["target"],
        "result": options["result"],
        "at__gte": options["since"],
        "pk__lt": options["before"],
    }
    rows = OperatorAction.objects.filter(**{name: value for name, value in given.items() if value is not None})
    found = list(rows.order_by("-pk")[: max(options["limit"], 0)])
    if options["format"] == "json":
        command.stdout.write(json.dumps({"schema_version": 1, "actions": [facts_of(row) for row in found]}))
        return
    headings = ("id", "affected", "expected", "at", "actor", "action", "target", "result", "reason", "detail")
    lines = [
        (
            str(row.pk),
            known(row.affected),
            known(row.expected),
            known(in_iso(row.at)),
            row.actor,
            row.action,
            row.target,
            row.result,
            " ".join(row.reason.split()),
            row.detail,
        )
        for row in found
    ]
    parts = [table(command, headings, lines, numbers=2)] if lines else ["No action matches."]
    show(command, *parts, no_color=options["no_color"])


def facts_of(row: OperatorAction) -> dict[str, Any]:
    """For machines; null: not known."""
    return {
        "id": row.pk,
        "request_id": str(row.request_id),
        "at": in_iso(row.at),
        "actor": row.actor,
        "action": row.action,
        "target": row.target,
        "reason": row.reason,
        "expected": row.expected,
        "affected": row.affected,
        "result": row.result,
        "detail": row.detail,
    }
