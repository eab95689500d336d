"""`manage.py jobs status`"""

import json
from argparse import ArgumentParser
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from rich.markup import escape

from ..broker.depths import Pause
from ..broker.problems import Problem, problems, worst_first
from ..broker.server_facts import ServerFacts
from ..broker.status import QueueStatus, Status, read_status
from .breakers import breaker_facts, breaker_parts, breaker_problems, read_breakers
from .durations import in_words
from .given_up import given_up_facts, given_up_problems, read_given_up
from .outbox import outbox_facts, outbox_parts, outbox_problems, read_outbox
from .output import UNKNOWN, known, moment, show, table
from .timetable import read_timetable, timetable_facts, timetable_problems

NAME = "status"
HELP = "say what is wrong with queues, workers and the broker, then how each stands"

COLOURS: Final = {"critical": "bold red", "warning": "yellow"}
PLAIN_BROKER: Final = (
    "The broker is no leased:// one: what is delayed or leased, pauses, and who serves a queue are unknown here. "
    "{claimed} messages are in the hands or the memory of workers."
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(command: BaseCommand, **options: Any) -> None:
    """Whatever is wrong with the jobs is no error of this command; a broker that cannot be asked is (exit 1)."""
    try:
        status, breakers, outbox, timetable = read_status(), read_breakers(), read_outbox(), read_timetable()
        given_up = read_given_up()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
    others = (
        *outbox_problems(outbox),
        *timetable_problems(timetable),
        *given_up_problems(given_up),
        *breaker_problems(breakers),
    )
    found = worst_first([*problems(status), *others])
    if options["format"] == "json":
        facts = {
            "outbox": outbox_facts(outbox),
            "timetable": timetable_facts(timetable),
            "dead_letters": given_up_facts(given_up),
            "breakers": breaker_facts(breakers),
        }
        command.stdout.write(json.dumps(facts_of(status, found) | facts))
    else:
        parts = [*_parts(command, status, found), *outbox_parts(outbox), *breaker_parts(command, breakers)]
        show(command, *parts, no_color=options["no_color"])
    if status.unreachable:
        raise CommandError("The broker cannot be asked.")


def verdict(status: Status, found: list[Problem]) -> str:
    if status.unreachable:
        return "unknown"
    if any(problem.severity == "critical" for problem in found):
        return "critical"
    return "degraded" if found else "ok"


def facts_of(status: Status, found: list[Problem]) -> dict[str, Any]:
    """For machines. null: not known, or, for an age, that nothing waits."""
    return {
        "schema_version": 1,
        "generated_at": moment(status.at),
        "status": verdict(status, found),
        "problems": [
            {
                "code": one.code,
                "severity": one.severity,
                "queue": one.queue,
                "message": one.message,
                "hint": one.hint,
            }
            for one in found
        ],
        "broker": {
            "transport": "leased" if status.is_leased else "stock",
            "reachable": not status.unreachable,
            "refuses_writes": None if status.unreachable else status.refused or False,
            **_facts_of_server(status.facts),
            "claimed_by_stock": status.claimed_by_stock,
        },
        "queues": [_facts_of_queue(one) for one in status.queues],
        "workers": None
        if status.owners is None
        else [{"owner": one.name, "alive": one.alive, "leases": one.leases} for one in status.owners],
        "quarantine": None
        if status.quarantine is None
        else {
            "count": status.quarantine.count,
            "by_reason": status.quarantine.by_reason,
            "counted": status.quarantine.looked_at,
        },
    }


def _facts_of_server(facts: ServerFacts | None) -> dict[str, Any]:
    return {
        "kind": facts.kind if facts else UNKNOWN,
        "version": facts.version if facts else None,
        "role": facts.role if facts else None,
        "memory_used_ratio": facts.memory_used_ratio if facts else None,
    }


def _facts_of_queue(one: QueueStatus) -> dict[str, Any]:
    is_known = one.serve is not None  # without this, no pause is known either
    return {
        "name": one.queue.name,
        "rank": one.queue.rank,
        "sla_seconds": one.queue.sla_seconds,
        "oldest_age_seconds": one.oldest_age_seconds,
        "ready": one.ready,
        "delayed": one.delayed,
        "leased": one.leased,
        "consumers": one.serve,
        "idle": one.waits,
        "scout": one.scout,
        "paused": (_facts_of_pause(one.pause) if one.pause else False) if is_known else None,
    }


def _facts_of_pause(pause: Pause) -> dict[str, Any]:
    by, separator, why = pause.why.partition(": ")
    return {
        "until": None if pause.until is None else moment(pause.until),
        "by": by if separator else None,
        "why": why if separator else pause.why,
    }


def _parts(command: BaseCommand, status: Status, found: list[Problem]) -> list[Any]:
    parts: list[Any] = [
        f"[{COLOURS[one.severity]}]{one.severity:<8}[/] {escape(one.message)}\n         {escape(one.hint)}"
        for one in found
    ]
    parts.append(f"\n{_server_in_words(status)}" if found else f"[green]ok[/]       {_server_in_words(status)}")
    if status.unreachable:
        return parts
    if not status.is_leased:
        parts.append(PLAIN_BROKER.format(claimed=known(status.claimed_by_stock)))
    headings = ("queue", "rank", "SLA", "oldest", "ready", "delayed", "leased", "workers", "idle", "scout", "paused")
    parts += ["", table(command, headings, [_row(one) for one in status.queues], numbers=8)]
    if status.owners is not None:
        rows = [
            (
                one.name,
                str(sum(one.leases.values())),
                "alive" if one.alive else "SILENT",
                ", ".join(f"{count} {queue}" for queue, count in one.leases.items()),
            )
            for one in status.owners
        ]
        parts += [
            "",
            table(command, ("worker", "leases", "", "of"), rows, numbers=1) if rows else "No worker is known.",
        ]
    return parts


def _row(one: QueueStatus) -> tuple[str, ...]:
    if one.oldest_age_seconds is not None:
        age = in_words(one.oldest_age_seconds)
    else:
        age = "-" if one.ready == 0 else UNKNOWN
    return (
        one.queue.name,
        str(one.queue.rank),
        in_words(one.queue.sla_seconds),
        age,
        known(one.ready),
        known(one.delayed),
        known(one.leased),
        known(one.serve),
        known(one.waits),
        UNKNOWN if one.serve is None else "yes" if one.scout else "no",
        UNKNOWN if one.serve is None else _pause_in_words(one.pause) if one.pause else "no",
    )


def _pause_in_words(pause: Pause) -> str:
    facts = _facts_of_pause(pause)
    return f"until {facts['until'] or 'resumed'}, by {known(facts['by'])}: {facts['why']}"


def _server_in_words(status: Status) -> str:
    if status.facts is None:
        return "broker: kind and version are unknown"
    ratio = status.facts.memory_used_ratio
    memory = "no memory limit" if ratio is None else f"{ratio:.0%} of its memory used"
    return escape(f"broker: {status.facts.kind} {status.facts.version}, {known(status.facts.role)}, {memory}")
