"""`manage.py jobs resume QUEUE --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from .actors import act, add_actor_arguments, named_actor
from .queues import messages, queue_name

NAME = "resume"
HELP = "end the pause of a queue"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", type=queue_name)
    add_actor_arguments(parser)


def run(command: BaseCommand, *, queue: str, reason: str, as_user: str | None, **_: Any) -> None:
    """Resuming a queue that is not paused says so, and is no error."""
    store = messages()
    row = act(
        "resume-queue",
        lambda: int(store.resume(queue)),
        actor=named_actor(as_user),
        target=queue,
        reason=reason,
        expected=1,
    )
    command.stdout.write(f"{queue} goes on." if row.affected else f"{queue} was not paused.")
