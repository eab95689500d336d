"""`manage.py jobs workers`"""

import json
from argparse import ArgumentParser
from typing import Any

import redis
from django.core.management.base import BaseCommand

from ..broker.cards import Card
from ..queues import QUEUES
from .actors import unanswered
from .output import known, moment, show, table
from .queues import messages

NAME = "workers"
HELP = "list the workers: where each runs, what it serves, and how busy it is"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(command: BaseCommand, **options: Any) -> None:
    """Prints; that there is none is no error."""
    store = messages()
    try:
        owners = store.fleet([queue.name for queue in QUEUES]).owners
        cards = store.cards([owner.name for owner in owners])
    except redis.RedisError as error:
        raise unanswered(error) from None
    found = [facts_of(owner.name, owner.alive, cards.get(owner.name)) for owner in owners]
    if options["format"] == "json":
        command.stdout.write(json.dumps({"schema_version": 1, "workers": found}))
        return
    rows = [
        (
            known(one["node"]),
            known(one["busy"]),
            known(one["slots"]),
            known(None if one["rss_bytes"] is None else f"{one['rss_bytes'] / 2**20:.0f} MB"),
            known(one["pid"]),
            known(one["pool"]),
            known(None if one["queues"] is None else ", ".join(one["queues"])),
            known(one["version"]),
            known(one["started_at"]),
            "alive" if one["alive"] else "SILENT",
            one["owner"],
        )
        for one in found
    ]
    headings = ("node", "busy", "slots", "memory", "pid", "pool", "queues", "version", "since", "", "owner")
    parts = [table(command, headings, rows, numbers=4)] if rows else ["No worker is known."]
    show(command, *parts, no_color=options["no_color"])


def facts_of(owner: str, alive: bool, card: Card | None) -> dict[str, Any]:
    """For machines; null: not known, as of a worker that has left no card."""
    names = ("node", "host", "pid", "pool", "slots", "busy", "rss_bytes", "version")
    facts = {name: None if card is None else getattr(card, name) for name in names}
    return {
        "owner": owner,
        "alive": alive,
        **facts,
        "queues": None if card is None else list(card.queues),
        "started_at": None if card is None else moment(card.started_at),
        "at": None if card is None else moment(card.at),
    }
