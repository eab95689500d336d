"""`manage.py jobs worker POOL`"""

from argparse import ArgumentParser
from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand, CommandError

from ..conf import engine_settings
from ..queues import nearest

NAME = "worker"
HELP = "run the worker of one pool, as declared in BGJOBS['pools']"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("pool", metavar="POOL")


def run(command: BaseCommand, *, pool: str, **_: Any) -> None:
    """Runs until the worker is stopped. Raises CommandError for a pool that is not declared."""
    pools = {declared.name: declared for declared in engine_settings().pools}
    if pool not in pools:
        raise CommandError(f"There is no pool {pool!r}; {nearest(pool, pools)}")
    current_app.worker_main(["worker", *pools[pool].worker_arguments(), "--loglevel=info"])
