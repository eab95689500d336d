"""Instants that somebody gives on the command line."""

from argparse import ArgumentTypeError
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.core.management.base import CommandError
from django.utils import timezone

from ..durations import seconds_in


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


def moment_in(text: str) -> datetime:
    """An argument's type: a span of time before now, or a moment; one without a zone is in UTC."""
    with suppress(ArgumentTypeError):
        return timezone.now() - timedelta(seconds=seconds_in(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time; write it as in 2h, 1d or 2026-11-24T03:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
