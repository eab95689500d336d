"""Beats, and what they fire."""

from collections.abc import Iterator, Mapping

from ...schedules.history import LATE
from ..problem import Problem
from ..snapshot import Snapshot
from ..timetable import EntryLook, TimetableLook
from ..words import clock, some


def of_timetable(snapshot: Snapshot) -> Iterator[Problem]:
    if (seen := snapshot.timetable) is None:
        return
    yield from _beats(seen, snapshot)
    yield from _lost(seen)
    yield from _late(seen)
    for entry in seen.entries:
        if entry.pause is not None:
            yield _paused(entry, snapshot)


def _beats(seen: TimetableLook, snapshot: Snapshot) -> Iterator[Problem]:
    if seen.overdue:
        name, since = min(seen.overdue.items(), key=lambda item: item[1])
        count = len(seen.overdue)
        yield Problem(
            code="beat_silent",
            severity="critical",
            since=since,
            entry=name,
            message=f"{name} was due at {clock(since, snapshot.at)} and no beat has seen to it"
            + (f", nor to {some(count - 1, 'other entry', 'other entries')}" if count > 1 else ""),
            cause=_why_overdue(snapshot),
            hint="Look into the log of beat."
            if snapshot.beats
            else "Start a beat; it catches up as each entry says.",
        )
    elif snapshot.beats == () and any(entry.seen for entry in seen.entries):
        due = min(entry.next_due for entry in seen.entries)
        yield Problem(
            code="beat_silent",
            severity="warning",
            message=f"No beat runs; the next entry is due at {clock(due, snapshot.at)}",
            hint="Start a beat; it catches up as each entry says.",
        )


def _why_overdue(snapshot: Snapshot) -> str:
    if snapshot.beats is None:
        return "no beat runs, or none reaches the database"
    return "a beat runs, but does not reach the database or hangs" if snapshot.beats else "no beat runs"


def _lost(seen: TimetableLook) -> Iterator[Problem]:
    if seen.never_ran:
        worst = max(seen.never_ran, key=lambda name: seen.never_ran[name])
        yield Problem(
            code="firings_lost",
            severity="warning",
            entry=worst,
            message=f"Firings of the last 24 hours that never ran: {_counted(seen.never_ran)}",
            hint="Was no beat running, or did no worker take them in time? `jobs fire ENTRY` makes up for one.",
            action="fire",
            target=worst,
        )


def _late(seen: TimetableLook) -> Iterator[Problem]:
    if seen.late:
        yield Problem(
            code="firings_late",
            severity="warning",
            message="Firings of the last 24 hours that started more than "
            f"{LATE.seconds} s late, or have not: {_counted(seen.late)}",
            hint="Are there workers and free slots for their queues?",
        )


def _paused(entry: EntryLook, snapshot: Snapshot) -> Problem:
    assert entry.pause is not None  # noqa: S101 - it was asked
    until = entry.pause.until
    ends = "until somebody resumes it" if until is None else f"until {clock(until, snapshot.at)}"
    return Problem(
        code="entry_paused",
        severity="warning",
        entry=entry.name,
        message=f"{entry.name} is not fired {ends}",
        cause=f"{entry.pause.by} paused it: {entry.pause.why}",
        hint=f"Resume it: manage.py jobs resume-entry {entry.name} --reason …",
        action="resume_entry",
        target=entry.name,
    )


def _counted(by_entry: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(by_entry.items()))
