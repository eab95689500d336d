"""The operator's command: `manage.py jobs worker POOL`."""

from argparse import ArgumentParser
from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand, CommandError

from ...conf import engine_settings
from ...queues import nearest


class Command(BaseCommand):
    help = "Run background jobs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        worker = actions.add_parser("worker", help="run the worker of one pool, as declared in BGJOBS['pools']")
        worker.add_argument("pool", metavar="POOL")

    def handle(self, *, pool: str, **options: Any) -> None:
        """Runs until the worker is stopped. Raises CommandError for a pool that is not declared."""
        pools = {declared.name: declared for declared in engine_settings().pools}
        if pool not in pools:
            raise CommandError(f"There is no pool {pool!r}; {nearest(pool, pools)}")
        current_app.worker_main(["worker", *pools[pool].worker_arguments(), "--loglevel=info"])
