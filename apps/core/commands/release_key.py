"""`manage.py jobs release-key KEY | TASK ARGS --reason WHY`"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from ..idempotency import records
from ..idempotency.durable import release as release_durable
from .actors import act, add_actor_arguments, named_actor
from .keys import add_key_arguments, named_key

NAME = "release-key"
HELP = "forget an idempotency key, so that its job can run again"


def add_arguments(parser: ArgumentParser) -> None:
    add_key_arguments(parser)
    add_actor_arguments(parser)


def run(command: BaseCommand, *, reason: str, as_user: str | None, **options: Any) -> None:
    """Raises CommandError without the permission or a reason."""
    key = named_key(options)

    def release() -> int:
        # The record in the database answers too, and for a durable job it alone is the truth.
        durable = release_durable(key)
        return max(durable, 0 if records().release(key) is None else 1)

    row = act("release-key", release, actor=named_actor(as_user), target=key, reason=reason, expected=1)
    command.stdout.write(f"Released {key}." if row.affected else f"Nobody held {key}, and nothing was stored for it.")
