"""`manage.py jobs release-key KEY | TASK ARGS --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..operating import release_key
from .actors import add_actor_arguments, in_sentences, signature
from .keys import add_key_arguments, named_key

NAME = "release-key"
HELP = "forget an idempotency key, so that its job can run again"


def add_arguments(parser: ArgumentParser) -> None:
    add_key_arguments(parser)
    add_actor_arguments(parser)


def run(command: BaseCommand, **options: Any) -> None:
    """Raises CommandError without the permission or a reason."""
    with in_sentences():
        command.stdout.write(release_key(named_key(options), **signature(options)).detail)
