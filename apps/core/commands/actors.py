"""Who acts on the command line, and why."""

from argparse import ArgumentParser

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from ..actions import Actor


def add_actor_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--reason", required=True, help="why; it is kept in the audit")
    parser.add_argument("--as", dest="as_user", metavar="USER", help="act as this user, with this user's permissions")


def named_actor(as_user: str | None) -> Actor:
    """Raises CommandError for a user who does not exist or is not active."""
    if as_user is None:
        return Actor.on_command_line()
    user = get_user_model()._default_manager.filter(username=as_user, is_active=True).first()  # noqa: SLF001 - Django's documented way
    if user is None:
        raise CommandError(f"There is no active user {as_user!r}.")
    return Actor.of(user)
