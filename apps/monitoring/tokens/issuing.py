"""Making, rotating and revoking tokens. Each is a line in the log; secrets are in none."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from apps.core.logs import get_logger
from apps.core.queues import nearest

from .models import MonitoringToken
from .scopes import Scope
from .secret import digest_of, new_secret

LONGEST_GRACE: Final = timedelta(days=30)
MOST_DAYS: Final = 3650
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

log = get_logger(__name__)


class TokenError(Exception):
    """What was asked cannot be done; the message says what can."""


def create(
    name: str, *, scopes: Iterable[str], now: datetime, days: int | None = None
) -> tuple[MonitoringToken, str]:
    """A new token and its secret, which nobody can be told again. `days`: None for ever. Raises TokenError."""
    if not _NAME.fullmatch(name):
        raise TokenError("A token's name is 1 to 100 letters, digits, dots, dashes and underscores.")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise TokenError(f"A token is accepted for 1 to {MOST_DAYS} days.")
    secret = new_secret()
    token = MonitoringToken(
        name=name,
        scopes=_scopes(scopes),
        digest=digest_of(secret),
        made_at=now,
        created_at=now,
        expires_at=None if days is None else now + timedelta(days=days),
    )
    try:
        with transaction.atomic():
            token.save()
    except IntegrityError:
        raise TokenError(f"There is a token {name!r} already; rotate or revoke it.") from None
    log.info("monitoring_token.created", name=name, scopes=token.scopes, expires_at=_iso(token.expires_at))
    return token, secret


def rotate(name: str, *, now: datetime, grace: timedelta = timedelta()) -> tuple[MonitoringToken, str]:
    """The token with a new secret that lives as long as the last one was to live, and that secret.

    The last one is accepted for `grace` more, but no longer than it would have been. Raises TokenError.
    """
    if not timedelta() <= grace <= LONGEST_GRACE:
        raise TokenError(f"The grace is between nothing and {LONGEST_GRACE.days} days.")
    with transaction.atomic():
        token = _named(name)
        until = now + grace if token.expires_at is None else min(now + grace, token.expires_at)
        token.former_digest, token.former_until = (token.digest, until) if until > now else ("", None)
        secret = new_secret()
        token.digest = digest_of(secret)
        if token.expires_at is not None:
            token.expires_at = now + (token.expires_at - token.made_at)
        token.made_at = now
        token.save()
    log.info("monitoring_token.rotated", name=name, former_until=_iso(token.former_until))
    return token, secret


def revoke(name: str, *, now: datetime) -> MonitoringToken:
    """From now on neither its secret nor the one before is accepted. The name is free again. Raises TokenError."""
    with transaction.atomic():
        token = _named(name)
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
    log.info("monitoring_token.revoked", name=name)
    return token


def _named(name: str) -> MonitoringToken:
    tokens = MonitoringToken.objects.filter(revoked_at=None)
    token = tokens.select_for_update().filter(name=name).first()
    if token is None:
        known = list(tokens.values_list("name", flat=True))
        raise TokenError(f"There is no token {name!r}; {nearest(name, known) if known else 'there is none at all'}")
    return token


def _scopes(asked: Iterable[str]) -> list[str]:
    scopes = sorted(set(asked))
    for scope in scopes:
        if scope not in Scope.values:
            raise TokenError(f"There is no scope {scope!r}; {nearest(scope, Scope.values)}")
    if not scopes:
        raise TokenError(f"Say what the token opens: {', '.join(Scope.values)}.")
    return scopes


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
