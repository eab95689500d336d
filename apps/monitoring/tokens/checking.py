"""Whose token a request carries."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import Error as DatabaseError
from django.db.models import Q

from apps.core.logs import get_logger

from .models import MonitoringToken
from .recent import Bearer, RecentUses
from .secret import digest_of, may_be_secret

USE_IS_NOTED_EVERY: Final = timedelta(minutes=1)

log = get_logger(__name__)
recent = RecentUses()  # of this process


def bearer_of(secret: str, *, now: datetime) -> Bearer | None:
    """None: the secret is none of ours, or is no longer accepted.

    While the database is down, what it said in the last five minutes holds: a token that is revoked meanwhile is
    accepted until then.
    """
    if not may_be_secret(secret):
        return None
    digest = digest_of(secret)
    try:
        token = _find(digest, now)
    except DatabaseError:
        return recent.recall(digest, now=now)
    if token is None:
        recent.forget(digest)
        return None
    bearer = Bearer(name=token.name, scopes=frozenset(token.scopes))
    recent.note(digest, bearer, now=now, ends=_ends(token, digest))
    _note_use(token, now)
    return bearer


def _find(digest: str, now: datetime) -> MonitoringToken | None:
    present = Q(digest=digest) & (Q(expires_at=None) | Q(expires_at__gt=now))
    former = Q(former_digest=digest, former_until__gt=now)
    token = MonitoringToken.objects.filter(present | former, revoked_at=None).first()
    if token is None:
        return None
    # The database has compared already; this does so again, in a time that tells nothing.
    is_present = secrets.compare_digest(token.digest, digest)
    is_former = secrets.compare_digest(token.former_digest, digest)
    return token if is_present or is_former else None


def _ends(token: MonitoringToken, digest: str) -> datetime | None:
    return token.expires_at if digest == token.digest else token.former_until


def _note_use(token: MonitoringToken, now: datetime) -> None:
    """At most once a minute; of several processes one does."""
    long_ago = now - USE_IS_NOTED_EVERY
    if token.last_used_at is not None and token.last_used_at > long_ago:
        return
    unnoted = MonitoringToken.objects.filter(pk=token.pk).filter(Q(last_used_at=None) | Q(last_used_at__lte=long_ago))
    try:
        unnoted.update(last_used_at=now)
    except DatabaseError as error:  # such as one that takes no writes: reading goes on
        log.warning("monitoring_token.use_not_noted", error=type(error).__name__)
