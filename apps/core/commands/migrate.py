"""`manage.py jobs migrate --from-stock | --to-stock --reason WHY [--force]`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ..operating import move_from_stock, move_to_stock
from ..operating.stock import what_stays
from .actors import add_actor_arguments, in_sentences, signature

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


def run(command: BaseCommand, *, from_stock: bool, force: bool, **options: Any) -> None:
    """Raises CommandError where moving would lose messages, leave some behind, or run jobs twice."""
    with in_sentences():
        move = move_from_stock if from_stock else move_to_stock
        row, moved = move(force=force, **signature(options))
    done = "adopted from stock workers" if from_stock else "moved into their lists before their time"
    command.stdout.write(f"{row.affected} messages were {done}.")
    if moved is not None and moved.left:
        raise CommandError(what_stays(moved))
