"""`manage.py jobs idempotency KEY | TASK ARGS`"""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from ..idempotency import Record, durable, records
from .keys import add_key_arguments, named_key

NAME = "idempotency"
HELP = "show who holds an idempotency key, or what it answers"


def add_arguments(parser: ArgumentParser) -> None:
    add_key_arguments(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(command: BaseCommand, **options: Any) -> None:
    """Prints the record; an unknown key is no error."""
    key = named_key(options)
    record = records().look_up(key)
    facts = {"key": key, "state": "absent"} if record is None else facts_of(record)
    facts |= facts_of_durable(key)
    if options["format"] == "json":
        command.stdout.write(json.dumps(facts))
    else:
        command.stdout.write("\n".join(f"{name:<12} {value}" for name, value in facts.items()))


def facts_of_durable(key: str) -> dict[str, str]:
    """What the database answers under the key, whatever the server does."""
    record = durable.table().filter(key=key, expires_at__gt=timezone.now()).first()
    if record is None:
        return {}
    until = record.expires_at.isoformat(timespec="seconds")
    return {"done_by": record.job, "result": record.result, "kept_until": until}


def facts_of(record: Record) -> dict[str, Any]:
    """What an operator wants to know of a key, by name."""
    fields = record.fields
    since = datetime.fromtimestamp(int(fields["since"]), UTC)
    facts = {
        "key": record.key,
        "state": fields["state"],
        "task": record.key.partition(":")[0],
        "job": fields["job"],
        "since": since.isoformat(timespec="seconds"),
        "attempt": int(fields["attempt"]),
        "fence": int(fields["fence"]),
        "seconds_left": round(record.seconds_to_live, 1),
    }
    if fields["state"] == "running":
        facts |= {"holder": fields["owner"], "alive": record.owner_alive}
    if "result" in fields:
        facts["result"] = fields["result"]
    if "error" in fields:
        facts["error"] = f"{fields['error']}: {fields['message']}"
    return facts
