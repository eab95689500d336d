"""`manage.py jobs why JOB`"""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from ..broker.whereabouts import Place
from ..dead_letters.arguments import hide, shown
from ..dead_letters.original import Original, UnreadableMessageError
from ..story import Story, is_known, tell, verdict
from . import dead_letters, idempotency
from .letters import brief, in_iso
from .output import moment

NAME = "why"
HELP = "say why a job is not running, and all that is known of it"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="its id")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(command: BaseCommand, *, job: str, **options: Any) -> None:
    """Prints; a job of which nothing is known is no error."""
    story = tell(job)
    if options["format"] == "json":
        command.stdout.write(json.dumps(facts_of(story)))
    else:
        command.stdout.write("\n".join(_lines(story)))


def sentences(story: Story) -> list[str]:
    found = list(verdict(story))
    if is_known(story):
        return found
    return [
        "Nothing is known of this job: it was never enqueued here, its transaction was rolled back, or it ended well "
        "and its result is gone.",
        *found,
    ]


def facts_of(story: Story) -> dict[str, Any]:
    """For machines; null: nothing there, or not known."""
    where, message = story.whereabouts, story.message
    return {
        "schema_version": 1,
        "job": story.job,
        "known": is_known(story),
        "verdict": sentences(story),
        "task": _task(message),
        "arguments": None if message is None else shown(message),
        "outbox": None
        if story.row is None
        else {
            "queue": story.row.queue,
            "durable": story.row.durable,
            "written_at": in_iso(story.row.created_at),
            "published_at": in_iso(story.row.published_at),
        },
        "places": None if where is None else [_facts_of_place(place) for place in where.places],
        "paused": sorted(story.pauses),
        "parked_behind": story.parked_behind,
        "revoked_at": None if where is None or where.revoked_at is None else moment(where.revoked_at),
        "history": [] if where is None else list(where.history),
        "dead_letters": [dead_letters.facts_of(letter) for letter in story.letters],
        "key": None if story.key is None else _facts_of_key(story),
        "result": story.state,
        "unknown": story.unknown,
    }


def _facts_of_place(place: Place) -> dict[str, Any]:
    return {
        "kind": place.kind,
        "queue": place.queue,
        "ahead": place.ahead if place.kind == "waiting" else None,
        "due": None if place.due is None else moment(place.due),
        "owner": place.owner,
        "owner_alive": place.owner_alive if place.owner else None,
        "reason": place.quarantined.reason if place.quarantined else None,
    }


def _facts_of_key(story: Story) -> dict[str, Any]:
    assert story.key is not None  # noqa: S101 - asked by the caller
    message = story.message or b""
    facts = {name: value for name, value in idempotency.facts_of(story.key).items() if name != "result"}
    return {name: hide(message, value) if isinstance(value, str) else value for name, value in facts.items()}


def _lines(story: Story) -> Iterator[str]:
    yield from sentences(story)
    facts = facts_of(story)
    yield ""
    yield f"job        {story.job}"
    if facts["task"]:
        yield f"task       {facts['task']}"
    for name, value in (facts["arguments"] or {}).items():
        yield f"           {name} = {value}"
    if (row := story.row) is not None:
        published = f"published {in_iso(row.published_at)}" if row.published_at else "not marked as published"
        yield f"outbox     written {in_iso(row.created_at)}, {published}{', durable' if row.durable else ''}"
    for place in facts["places"] or ():
        details = [
            f"{name} {value}" for name, value in place.items() if name not in ("kind", "queue") and value is not None
        ]
        yield f"{place['kind']:<10} {place['queue']}{': ' if details else ''}{', '.join(details)}"
    if facts["revoked_at"]:
        yield f"revoked    {facts['revoked_at']}"
    for line in facts["history"]:
        yield f"history    {_in_words(line)}"
    for letter in story.letters:
        yield (
            f"letter     {letter.pk} {letter.state}, {letter.reason}, given up {in_iso(letter.last_at)} "
            f"after {letter.attempts} attempts: {hide(bytes(letter.message), brief(letter))}"
        )
    if facts["key"]:
        yield f"key        {', '.join(f'{name} {value}' for name, value in facts['key'].items())}"
    yield f"result     {facts['result'] or 'none is stored'}"


def _in_words(line: str) -> str:
    """ "<moment> <event> <owner>", with the moment for people."""
    seconds, _, rest = line.partition(" ")
    try:
        return f"{datetime.fromtimestamp(float(seconds), UTC).isoformat(timespec='seconds')} {rest}"
    except (ValueError, OverflowError):
        return line


def _task(message: bytes | None) -> str | None:
    try:
        return Original.read(message).task if message is not None else None
    except UnreadableMessageError:
        return None
