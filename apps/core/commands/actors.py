"""Who acts on the command line, why, and what becomes of it."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import CommandError

from ..actions import Actor
from ..logs import redact
from ..operating import OperatingError


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


class Signature(TypedDict):
    """Who asks, and why: what every function of `operating` wants to know."""

    actor: Actor
    reason: str


def signature(options: dict[str, Any]) -> Signature:
    """Raises CommandError for a user who does not exist or is not active."""
    return {"actor": named_actor(options["as_user"]), "reason": options["reason"] or ""}


@contextmanager
def in_sentences() -> Iterator[None]:
    """Raises CommandError for an action without permission or a reason, one that is refused, and one that fails."""
    try:
        yield
    except (PermissionDenied, ValidationError) as error:
        raise CommandError("; ".join(getattr(error, "messages", [str(error)]))) from None
    except OperatingError as error:
        raise CommandError(str(error)) from None


def unanswered(error: Exception) -> CommandError:
    return CommandError(f"The server cannot do this now: {redact(f'{type(error).__name__}: {error}')}")
