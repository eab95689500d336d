"""The stream of ended attempts, read: what the scripts have noted there, as rows of the history."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..broker.run_notes import LONGEST_SHOWN
from ..logs import redact
from ..metrics import events
from ..stored import moment, name, text
from .models import JobRun
from .terms import terms_of

LONGEST_ARGUMENTS: Final = LONGEST_SHOWN
LONGEST_ERROR_TEXT: Final = 500
LARGEST: Final = 2**31 - 1
LONGEST_SECONDS: Final = timedelta(days=366 * 10).total_seconds()

_EVENTS: Final = frozenset((*events.ENDS, events.LOST))


class UnreadableNoteError(ValueError):
    """The note is none of ours."""


def runs_of(entry_id: bytes, fields: Sequence[bytes]) -> Iterator[JobRun | UnreadableNoteError]:
    """The runs of one entry of the stream, or what is wrong with them."""
    match fields:
        case [b"o", owner, *notes] if len(notes) % 2 == 0:
            for lease, note in zip(notes[::2], notes[1::2], strict=True):
                try:
                    yield read(entry_id, owner, lease, note)
                except UnreadableNoteError as error:
                    yield error
        case _:
            yield UnreadableNoteError()


def read(entry_id: bytes, owner: bytes, lease: bytes, told: bytes) -> JobRun:
    """Raises UnreadableNoteError. What is wrong with a single fact makes that one unknown."""
    try:
        key, note = (
            f"{owner.decode(errors='replace')} {lease.decode(errors='replace')}",
            told.decode(errors="replace"),
        )
        head, times, rest = note.split("\n", 2)
        event, reason, queue, _, _, _, _, task = head.split(" ", 7)
        wait, run, _check = times.split(" ")
        facts = json.loads(rest)
        noted_at = datetime.fromtimestamp(int(entry_id.partition(b"-")[0]) / 1000, UTC)
    except (ValueError, LookupError, RecursionError, OverflowError) as error:
        raise UnreadableNoteError(type(error).__name__) from None
    if event not in _EVENTS or not isinstance(facts, dict) or not key or key != name(key):
        raise UnreadableNoteError
    args, kwargs = _shown(facts.get("args", "")), _shown(facts.get("kwargs", ""))
    ended_at = _moment(facts.get("ended_at")) or noted_at
    return JobRun(
        key=key,
        job=name(facts.get("job")),
        task=_known(task),
        queue=_known(queue),
        event=event,
        reason=_known(reason),
        error=name(facts.get("error")),
        error_text=text(facts.get("error_text"))[:LONGEST_ERROR_TEXT],
        fingerprint=name(facts.get("fingerprint")),
        attempt=_number(facts.get("attempt", 1 if "worker" in facts else None)),  # a worker leaves out the 1
        worker=name(facts.get("worker") or facts.get("owner")),  # of one whose process died only that is known
        pid=_number(facts.get("pid")),
        ended_at=ended_at,
        **_before(ended_at, waited=_seconds(wait), ran=_seconds(run)),
        args=args,
        kwargs=kwargs,
        terms=terms_of(args, kwargs),
        tenant=name(facts.get("tenant")),
        user=name(facts.get("user")),
        correlation=name(facts.get("correlation")),
        entry=name(facts.get("entry")),
        firing=name(facts.get("firing")),
        idempotency_key=name(facts.get("key")),
        parent=name(facts.get("parent")),
        root=name(facts.get("root")),
        duplicate_of=name(facts.get("duplicate_of")),
    )


def _before(ended_at: datetime, *, waited: float | None, ran: float | None) -> dict[str, Any]:
    """The moments before the end, by the times that were measured: the note has those, and one moment."""
    started_at = ended_at - timedelta(seconds=ran or 0) if waited is not None or ran is not None else None
    ready_at = started_at - timedelta(seconds=waited) if started_at and waited is not None else None
    return {
        "started_at": started_at if ran is not None else None,  # one that expired never did
        "ready_at": ready_at,
        "wait_seconds": waited,
        "run_seconds": ran,
    }


def _shown(arguments: Any) -> str:
    """For people. Where they were cut there may be half of an address, which nobody would know for one: it goes."""
    whole = text(arguments)
    if len(whole) >= LONGEST_ARGUMENTS:
        whole = whole[: max(whole.rfind(mark, 0, LONGEST_ARGUMENTS) for mark in " '\"") + 1]
    return redact(whole)[:LONGEST_ARGUMENTS]


def _known(word: str) -> str:
    return "" if word == events.NONE else name(word)


def _number(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= LARGEST else None


def _moment(value: Any) -> datetime | None:
    """Only numbers are moments, and not true and false."""
    return moment(value) if type(value) in (int, float) else None


def _seconds(microseconds: str) -> float | None:
    """Of a span that was measured; one that is below zero, by clocks that differ, is none."""
    if not microseconds.lstrip("-").isdecimal():
        return None
    seconds = int(microseconds[:20]) / 1_000_000
    return max(seconds, 0.0) if seconds <= LONGEST_SECONDS else None
