"""`manage.py jobs migrate --from-stock | --to-stock --reason WHY [--force]`"""

from argparse import ArgumentParser
from typing import Any

import redis
from django.core.management.base import BaseCommand, CommandError

from ..broker import stock
from ..broker.stock import Moved, MoveRefusedError
from .actors import act, add_actor_arguments, named_actor, unanswered
from .queues import messages

NAME = "migrate"
HELP = "move messages from workers of Celery's own Redis transport to this one's, or back"


def add_arguments(parser: ArgumentParser) -> None:
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--from-stock", action="store_true", help="adopt what dead stock workers had claimed")
    way.add_argument("--to-stock", action="store_true", help="put what is delayed where stock workers find it")
    parser.add_argument(
        "--force", action="store_true", help="although workers of the other kind seem to live: jobs may run twice"
    )
    add_actor_arguments(parser)


def run(command: BaseCommand, *, from_stock: bool, reason: str, as_user: str | None, force: bool, **_: Any) -> None:
    """Raises CommandError where moving would lose messages, leave some behind, or run jobs twice."""
    store = messages()
    results: list[Moved] = []

    def move() -> int:
        results.append((stock.take_over if from_stock else stock.hand_over)(store, force=force))
        return results[0].messages

    try:
        store.client.ping()  # else kombu would wait for the server
        act(
            "move-from-stock" if from_stock else "move-to-stock",
            move,
            actor=named_actor(as_user),
            target="all queues, by force" if force else "all queues",
            reason=reason,
        )
    except MoveRefusedError as error:
        raise CommandError(str(error)) from None
    except redis.RedisError as error:
        raise unanswered(error) from None
    (moved,) = results
    done = "adopted from stock workers" if from_stock else "moved into their lists before their time"
    command.stdout.write(f"{moved.messages} messages were {done}.")
    if moved.left:
        left = ", ".join(f"{count} {why}" for why, count in moved.left.items())
        raise CommandError(f"These stay where they are: {left}.")
