"""`manage.py jobs`: what developers and operators do with background jobs."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ...commands import SUBCOMMANDS


class Command(BaseCommand):
    help = "Run, look into and repair background jobs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for subcommand in SUBCOMMANDS:
            subcommand.add_arguments(actions.add_parser(subcommand.NAME, help=subcommand.HELP))

    def handle(self, *, action: str, **options: Any) -> None:
        chosen = next(subcommand for subcommand in SUBCOMMANDS if action == subcommand.NAME)
        chosen.run(self, **options)
