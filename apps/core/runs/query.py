"""What somebody looks for in the history of runs, as they write it: `task:send_mail state:failed since:2h 4711`."""

import re
from argparse import ArgumentTypeError
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from django.db.models import Q

from ..durations import seconds_in
from ..metrics import events
from ..queues import QUEUE_BY_NAME, nearest
from ..retry import FailureReason
from .terms import terms_of

LONGEST: Final = 1000  # characters
STATES: Final = (*events.ENDS, events.LOST)
REASONS: Final = tuple(reason.value for reason in FailureReason)

_PART: Final = re.compile(r'\s*(?:([^\s:"]*):)?(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?=\s|$)')
_EXAMPLE: Final = "write it as in task:send_mail state:failed since:2h 4711"


class BadQueryError(ValueError):
    """What was written is no query; its text says what to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """All that is given must hold; nothing given means all runs."""

    task: str | None = None
    state: tuple[str, ...] = ()  # any of these; see STATES
    queue: str | None = None
    reason: str | None = None  # of a failure or retry, one of REASONS
    error: str | None = None  # a part of its class's name or text, in whatever letters
    arg: tuple[str, ...] = ()  # words and numbers in the arguments, as far as these are shown
    tenant: str | None = None
    job: str | None = None
    key: str | None = None  # idempotency key
    fingerprint: str | None = None
    entry: str | None = None  # of the timetable
    since: str | None = None  # ended at or after: an instant, or how long ago, as it was written
    until: str | None = None  # ended before

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises BadQueryError."""
        given: dict[str, list[str]] = {}
        for name, value in _parts(text):
            given.setdefault(name, []).append(value)
        several = {"state", "arg"}
        for name, values in given.items():
            if name not in several and len(values) > 1:
                raise BadQueryError(f"{name}: stands here twice, and a run has one; leave one out.")
        made: dict[str, Any] = {name: tuple(v) if name in several else v[0] for name, v in given.items()}
        query = cls(**made)
        query.condition()
        return query

    def condition(self, *, now: datetime | None = None) -> Q:
        """What holds of the runs. Raises BadQueryError."""
        found = self._range(now or datetime.now(UTC))
        for name, column in _COLUMNS.items():
            if (value := getattr(self, name)) is not None:
                found &= Q(**{column: value})
        if self.queue is not None:
            found &= Q(queue=_known("queue", self.queue, QUEUE_BY_NAME))
        if self.state:
            states = [_known("state", state, STATES) for state in self.state]
            found &= Q(event__in=states) if len(states) > 1 else Q(event=states[0])
        if self.reason is not None:
            found &= Q(reason=_known("reason", self.reason, REASONS))
            if not self.state:  # as the index of what did not succeed wants to hear it
                found &= Q(event__in=(events.FAILED, events.RETRIED))
        if self.error is not None:
            found &= ~Q(error="") & (Q(error__icontains=self.error) | Q(error_text__icontains=self.error))
        if self.arg:
            found &= Q(terms__contains=self._terms())
        return found

    def bounds(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """`since` and `until` as moments. Raises BadQueryError."""
        since, until = _moment("since", self.since, now), _moment("until", self.until, now)
        if since is not None and until is not None and since >= until:
            raise BadQueryError(f"since:{self.since} is not before until:{self.until}; swap them.")
        return since, until

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))

    def __str__(self) -> str:
        """As it would be written: `parse` gives it back."""
        return " ".join(self._written())

    def _written(self) -> Iterator[str]:
        for field in fields(self):
            value = getattr(self, field.name)
            for one in value if isinstance(value, tuple) else [] if value is None else [value]:
                yield f"{field.name}:{_quoted(one)}"

    def _range(self, now: datetime) -> Q:
        since, until = self.bounds(now)
        found = Q() if since is None else Q(ended_at__gte=since)
        return found if until is None else found & Q(ended_at__lt=until)

    def _terms(self) -> list[str]:
        for word in self.arg:
            if not terms_of(word):
                raise BadQueryError(f"{word!r} has no word or number in it, and only these are found.")
        return list(dict.fromkeys(term for word in self.arg for term in terms_of(word)))


_NAMES: Final = tuple(field.name for field in fields(RunQuery))
_COLUMNS: Final = {  # whose whole text counts
    "task": "task",
    "tenant": "tenant",
    "job": "job",
    "key": "idempotency_key",
    "fingerprint": "fingerprint",
    "entry": "entry",
}


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Names and values, in the order in which they stand."""
    if len(text) > LONGEST:
        raise BadQueryError(f"A query has {LONGEST} characters at most.")
    if not all(one.isprintable() or one.isspace() for one in text):
        raise BadQueryError("There is a character in it that cannot be seen; write it anew.")
    text, place = text.strip(), 0
    while place < len(text):
        found = _PART.match(text, place)
        if found is None or (found[1] is None and ":" in (found[3] or "")):
            raise BadQueryError(_wrong(text[place:].strip()))
        name, quoted, bare = found.groups()
        value = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        if name is None:
            name = "job" if quoted is None and _is_uuid(value) else "arg"
        elif name not in _NAMES:
            raise BadQueryError(
                f"There is no field {name!r}; {nearest(name, _NAMES)} A word with a colon needs quotes."
            )
        if not value.strip():
            raise BadQueryError(f"{name}: has no value; {_EXAMPLE}")
        yield name, value
        place = found.end()


def _wrong(rest: str) -> str:
    if rest.count('"') % 2:
        return f"A quotation mark is not closed: {rest}"
    name, colon, value = rest.partition(":")
    if colon and (not value or value[0].isspace()):
        return f"{name}: has no value; {_EXAMPLE}"
    return f"This is not understood: {rest}; {_EXAMPLE}"


def _known(name: str, value: str, known: Any) -> str:
    if value not in known:
        raise BadQueryError(f"There is no {name} {value!r}; {nearest(value, known)}")
    return value


def _moment(name: str, text: str | None, now: datetime) -> datetime | None:
    """Instants without an offset are UTC's."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        return now - timedelta(seconds=seconds_in(text))
    except ArgumentTypeError:
        raise BadQueryError(
            f"{name}:{text} is no moment; write how long ago, as in {name}:2h or {name}:3d, "
            f"or an instant, as in {name}:2026-11-23T12:00:00Z"
        ) from None


def _quoted(value: str) -> str:
    if re.search(r'[\s"\\]', value) or not value:
        escaped = re.sub(r'(["\\])', r"\\\1", value)
        return f'"{escaped}"'
    return value


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
