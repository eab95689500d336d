"""The timetable for machines."""

from typing import Any

from .snapshot import Snapshot
from .timetable import EntryLook
from .words import iso


def timetable_facts(snapshot: Snapshot) -> dict[str, Any]:
    seen, beats = snapshot.timetable, None if snapshot.beats is None else len(snapshot.beats)
    if seen is None:
        unknown = ("last_firing_age_seconds", "entries", "paused", "missed", "overdue", "late", "list")
        return {"beats_alive": beats, **dict.fromkeys(unknown)}
    age = None if seen.last_firing is None else max((snapshot.at - seen.last_firing).total_seconds(), 0.0)
    return {
        "beats_alive": beats,
        "last_firing_age_seconds": age,
        "entries": len(seen.entries),
        "paused": sum(entry.pause is not None for entry in seen.entries),
        "missed": [{"entry": name, "count": count} for name, count in sorted(seen.never_ran.items())],
        "overdue": [{"entry": name, "due": iso(due)} for name, due in sorted(seen.overdue.items())],
        "late": [{"entry": name, "count": count} for name, count in sorted(seen.late.items())],
        "list": [_entry(entry) for entry in seen.entries],
    }


def _entry(one: EntryLook) -> dict[str, Any]:
    return {
        "name": one.name,
        "task": one.task,
        "next_due": iso(one.next_due),
        "last_due": iso(one.last_due),
        "last_outcome": one.last_outcome,
        "last_start": iso(one.last_start),
        "last_success": iso(one.last_success),
        "missed_total": one.missed,
        "paused": False
        if one.pause is None
        else {"until": iso(one.pause.until), "by": one.pause.by, "why": one.pause.why},
    }
