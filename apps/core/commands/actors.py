"""Who acts on the command line, why, and what becomes of it."""

from argparse import ArgumentParser
from collections.abc import Callable

import redis
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import CommandError

from ..actions import Actor, perform
from ..logs import redact
from ..models import OperatorAction


def add_actor_arguments(parser: ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument("--reason", required=required, help="why; it is kept in the audit")
    parser.add_argument("--as", dest="as_user", metavar="USER", help="act as this user, with this user's permissions")


def named_actor(as_user: str | None) -> Actor:
    """Raises CommandError for a user who does not exist or is not active."""
    if as_user is None:
        return Actor.on_command_line()
    user = get_user_model()._default_manager.filter(username=as_user, is_active=True).first()  # noqa: SLF001 - Django's documented way
    if user is None:
        raise CommandError(f"There is no active user {as_user!r}.")
    return Actor.of(user)


def act(
    name: str,
    work: Callable[[], int],
    *,
    actor: Actor,
    target: str,
    reason: str | None,
    expected: int | None = None,
) -> OperatorAction:
    """Perform an action. Raises CommandError without permission, a reason or an answer of the server."""
    try:
        return perform(name, work, actor=actor, target=target, reason=reason or "", expected=expected)
    except (PermissionDenied, ValidationError) as error:
        raise CommandError("; ".join(getattr(error, "messages", [str(error)]))) from None
    except redis.RedisError as error:
        raise unanswered(error) from None


def unanswered(error: Exception) -> CommandError:
    return CommandError(f"The server cannot do this now: {redact(f'{type(error).__name__}: {error}')}")
