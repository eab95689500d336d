"""`manage.py jobs relay`"""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..outbox import keep_doing
from ..relaying import chores

NAME = "relay"
HELP = "publish what has been enqueued and is not on the broker; any number of these may run"


def add_arguments(parser: ArgumentParser) -> None:
    """It has none."""


def run(command: BaseCommand, **_: Any) -> None:
    """Runs until it gets SIGTERM or SIGINT."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    command.stdout.write("relay ready.")
    command.stdout.flush()
    keep_doing(chores(), stopped)
