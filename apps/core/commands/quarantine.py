"""`manage.py jobs quarantine [--reason-is R] [--restore [LEASE...] --reason WHY]`"""

import json
from argparse import ArgumentParser
from itertools import islice
from typing import Any, Final

import redis
from django.core.management.base import BaseCommand, CommandError

from ..broker import quarantine
from ..broker.quarantine import Quarantined
from ..broker.store import MessageStore
from ..operating import restore_quarantined
from .actors import add_actor_arguments, in_sentences, signature, unanswered
from .output import known, moment, show, table
from .queues import messages

NAME = "quarantine"
HELP = "list messages that were set aside and are no dead letters yet, or put them back into their queues"

ELSEWHERE: Final = "What the relay has taken over is listed by `jobs dead-letters`, and put back by `jobs retry`."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--reason-is", metavar="REASON", help="only those, as in unknown_task")
    parser.add_argument("--limit", type=int, default=100, help="list so many at most (100)")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--restore",
        nargs="*",
        metavar="LEASE",
        help="put these back, or with --reason-is all of that reason; it needs --reason",
    )
    add_actor_arguments(parser, required=False)


def run(command: BaseCommand, *, restore: list[str] | None, **options: Any) -> None:
    """Raises CommandError for a restoration that names nothing, or more than one way."""
    if restore is None:
        if options["reason"] is not None or options["as_user"] is not None:
            raise CommandError("Looking needs no --reason and no --as; --restore does.")
        _list(command, messages(), options)
    elif bool(restore) == bool(options["reason_is"]):
        raise CommandError("Say what to restore: leases, as `jobs quarantine` lists them, or --reason-is.")
    else:
        _restore(command, restore, options)


def _list(command: BaseCommand, store: MessageStore, options: dict[str, Any]) -> None:
    try:
        count = quarantine.count(store)
        found = list(islice(quarantine.each(store, reason=options["reason_is"]), options["limit"]))
    except redis.RedisError as error:
        raise unanswered(error) from None
    found.sort(key=lambda one: one.since)
    if options["format"] == "json":
        facts = {"schema_version": 1, "count": count, "messages": [facts_of(one) for one in found]}
        command.stdout.write(json.dumps(facts))
        return
    rows = [
        (one.name, one.reason, moment(one.since), one.queue, known(one.task), known(one.job), one.detail)
        for one in found
    ]
    headings = ("lease", "reason", "since", "queue", "task", "job", "detail")
    show(
        command,
        *([table(command, headings, rows, numbers=0)] if rows else []),
        f"{len(found)} of {count} in quarantine. {ELSEWHERE}" if count else f"Nothing is in quarantine. {ELSEWHERE}",
        no_color=options["no_color"],
    )


def _restore(command: BaseCommand, leases: list[str], options: dict[str, Any]) -> None:
    with in_sentences():
        row = restore_quarantined(leases, why=options["reason_is"], **signature(options))
    command.stdout.write(row.detail)
    if leases and row.affected != len(leases):
        raise CommandError(f"{len(leases) - (row.affected or 0)} of these were not in quarantine. {ELSEWHERE}")


def facts_of(one: Quarantined) -> dict[str, Any]:
    """All that is known but the job's arguments."""
    return {
        "lease": one.name,
        "reason": one.reason,
        "detail": one.detail,
        "since": moment(one.since),
        "queue": one.queue,
        "task": one.task,
        "job": one.job,
        "history": list(one.history),
        "bytes": len(one.text),
    }
