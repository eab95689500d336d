"""Instants that somebody gives on the command line."""

from datetime import datetime

from django.core.management.base import CommandError
from django.utils import timezone


def instant(option: str, text: str | None) -> datetime:
    """`text` in ISO 8601 with its offset; None: now. Raises CommandError, which names the option."""
    if text is None:
        return timezone.now()
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{option}: {text!r} is not an instant like 2026-11-23T12:00:00+00:00.") from error
    if timezone.is_naive(found):
        raise CommandError(f"{option}: {text!r} has no offset; write it like 2026-11-23T12:00:00+00:00.")
    return found
