"""`manage.py jobs pause QUEUE --reason WHY [--for 30m]`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from .actors import act, add_actor_arguments, named_actor
from .durations import in_words, seconds_in
from .output import moment
from .queues import messages, queue_name

NAME = "pause"
HELP = "stop all workers from taking jobs of a queue; what they have taken runs on"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("queue", metavar="QUEUE", type=queue_name)
    parser.add_argument("--for", dest="seconds", metavar="TIME", type=seconds_in, default=0.0, help="then go on")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, queue: str, seconds: float, reason: str, as_user: str | None, **_: Any) -> None:
    """A pause of a paused queue takes the place of the earlier one."""
    store, actor = messages(), named_actor(as_user)
    ends: list[float] = []

    def pause() -> int:
        ends.append(store.pause(queue, seconds=seconds, why=f"{actor.name}: {reason}"))
        return 1

    span = f" for {in_words(seconds)}" if seconds else ""
    act("pause-queue", pause, actor=actor, target=f"{queue}{span}", reason=reason, expected=1)
    until = f"until {moment(ends[0])}" if ends[0] else "until it is resumed"
    command.stdout.write(f"{queue} is paused {until}.")
