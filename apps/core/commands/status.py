"""`manage.py jobs status`"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from ..health.facts import facts
from ..health.snapshot import take
from ..health.verdict import verdict
from ..metrics.windows import Window
from .output import show
from .status_text import parts

NAME = "status"
HELP = "say what is wrong with queues, workers and the broker, then how each stands"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--window",
        choices=[str(window) for window in Window],
        default=str(Window.H1),
        help="of rates and percentiles; 1h, if not given",
    )


def run(command: BaseCommand, *, window: str, **options: Any) -> None:
    """Whatever is wrong with the jobs is no error of this command; a broker that cannot be asked is (exit 1)."""
    try:
        snapshot = take(window=Window(window))
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None
    found = verdict(snapshot)
    if options["format"] == "json":
        command.stdout.write(json.dumps(facts(snapshot, found)))
    else:
        show(command, *parts(command, snapshot, found), no_color=options["no_color"])
    if snapshot.broker.unreachable:
        raise CommandError("The broker cannot be asked.")
