"""The timetable in `manage.py jobs status`."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from celery import current_app
from django.db import Error as DatabaseError

from ..broker.problems import Problem
from ..exceptions import DeclarationError
from ..schedules import history
from ..schedules.plan import plans_of

LOOKED_AT: Final = timedelta(hours=24)  # an older firing that went wrong is history


@dataclass(frozen=True, slots=True, kw_only=True)
class TimetableLook:
    """How the timetable stands; the last two are of the last 24 hours."""

    overdue: Mapping[str, datetime]  # by entry: the due instant that no beat has seen to
    never_ran: Mapping[str, int]  # by entry: firings whose job never started
    late: Mapping[str, int]  # by entry: firings whose job started late, or has not started


def read_timetable() -> TimetableLook | None:
    """None where the database does not answer, or the timetable cannot be read, which is a system check's to say."""
    now = datetime.now(UTC)
    try:
        return TimetableLook(
            overdue=history.overdue(plans_of(current_app).values(), now),
            never_ran=Counter(history.never_ran(now - LOOKED_AT).values_list("entry", flat=True)),
            late=Counter(history.late(now - LOOKED_AT, now).values_list("entry", flat=True)),
        )
    except (DatabaseError, DeclarationError):
        return None


def timetable_facts(seen: TimetableLook | None) -> dict[str, Any] | None:
    """For machines."""
    if seen is None:
        return None
    overdue = {name: instant.isoformat() for name, instant in seen.overdue.items()}
    return {"overdue": overdue, "never_ran": dict(seen.never_ran), "late": dict(seen.late)}


def timetable_problems(seen: TimetableLook | None) -> Iterator[Problem]:
    if seen is None:
        return
    if seen.overdue:
        name, instant = min(seen.overdue.items(), key=lambda item: item[1])
        yield Problem(
            code="beat_silent",
            severity="critical",
            message=f"entries of the timetable that are overdue: {len(seen.overdue)}, {name} since "
            f"{instant:%Y-%m-%dT%H:%MZ}",
            hint="No beat runs, or none reaches the database. Start one; it catches up as each entry says.",
        )
    if seen.never_ran:
        yield Problem(
            code="firings_lost",
            severity="warning",
            message=f"firings of the last 24 hours that never ran: {_counted(seen.never_ran)}",
            hint="Was no beat running, or did no worker take them in time? `jobs fire ENTRY` makes up for one.",
        )
    if seen.late:
        yield Problem(
            code="firings_late",
            severity="warning",
            message="firings of the last 24 hours that started more than "
            f"{history.LATE.seconds} s late, or have not: {_counted(seen.late)}",
            hint="Are there workers and free slots for their queues?",
        )


def _counted(by_entry: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(by_entry.items()))
