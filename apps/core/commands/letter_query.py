"""Dead letters as a query: `task:send_mail reason:permanent since:2h`."""

import shlex
from argparse import ArgumentTypeError
from typing import Any, Final

from django.core.management.base import CommandError

from ..dead_letters.reasons import REASONS
from ..dead_letters.selection import Selection
from ..queues import QUEUE_BY_NAME, nearest
from .instants import moment_in

# Both name letters, and may be given more than once.
NAMES: Final = ("id", "job")
FIELDS: Final = ("task", "queue", "reason", "fingerprint", "tenant", "since")
CHOICES: Final = {"queue": tuple(QUEUE_BY_NAME), "reason": tuple(REASONS)}


def selection_in(text: str) -> Selection:
    """All that is said must hold. Raises CommandError, which says what is wrong and how to write it."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise CommandError(f"--query: {text!r} cannot be read: {error}.") from None
    if not words:
        raise CommandError('--query: say which, as in "task:send_mail since:2h".')
    names: list[str] = []
    given: dict[str, Any] = {}
    for word in words:
        field, separator, value = word.partition(":")
        if not separator or not value:
            raise CommandError(f"--query: {word!r} is no field and value; write it as in task:send_mail.")
        if field in NAMES:
            names.append(value)
        elif field in given:
            raise CommandError(f"--query: {field} is there twice; a letter has one.")
        else:
            given[field] = _value(field, value)
    return Selection(names=tuple(names), **given)


def _value(field: str, value: str) -> Any:
    if field not in FIELDS:
        raise CommandError(f"--query: there is no field {field!r}; {nearest(field, (*NAMES, *FIELDS))}")
    if field in CHOICES and value not in CHOICES[field]:
        raise CommandError(f"--query: there is no {field} {value!r}; {nearest(value, CHOICES[field])}")
    if field != "since":
        return value
    try:
        return moment_in(value)
    except ArgumentTypeError as error:
        raise CommandError(f"--query: {error}") from None
