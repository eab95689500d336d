"""The timetable of any Celery application, with all that is known of its tasks and queues."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from celery.beat import ScheduleEntry
from celery.schedules import crontab
from celery.schedules import schedule as interval

from ..app import JobsApp
from ..conf import engine_settings
from ..queues import QUEUE_BY_NAME
from ..schedules.beat_schedule import EntrySchedule
from ..schedules.entry import NeverFiresError, understood
from ..schedules.every import Every
from ..schedules.firings import Schedule
from ..schedules.pattern_of import pattern_of
from ..schedules.patterns import NEVER, Pattern
from ..schedules.plan import IN_UTC, SHORTEST_PERIOD, entries_of
from ..schedules.timetable import UTC_ZONE, Line, Place, TaskFacts, Timetable
from .sources import read_sources
from .task_facts import known_queues, task_facts
from .undecorated import task_files, undecorated_function

OUR_SCHEDULER: Final = "FiringScheduler"  # by name, since settings hold a path, and projects may derive from it


NO_RUN_TIMES: Final[Mapping[str, float]] = {}


def gather(
    app: Any,
    tasks: Mapping[str, Any],
    *,
    at: datetime,
    module: str | None = None,
    run_seconds: Mapping[str, float] = NO_RUN_TIMES,
) -> Timetable:
    """The timetable of an application whose tasks are loaded. Raises DeclarationError for an entry that is none.

    `module`: where the application is defined, if that is known; `run_seconds`: by entry, the 95th percentile.
    """
    ours = isinstance(app, JobsApp)
    facts = {name: task_facts(app, task) for name, task in tasks.items()}
    exactly_once = str(app.conf.beat_scheduler).endswith(OUR_SCHEDULER)
    files = task_files(app, module=module)
    sources = read_sources(files)
    lines = tuple(
        replace(
            _line(name, entry, facts, anchored=exactly_once),
            run_seconds=run_seconds.get(name),
            place=sources.places.get(name),
        )
        for name, entry in entries_of(app)
    )
    return Timetable(
        lines=lines,
        at=at,
        tasks=frozenset(tasks),
        undecorated=_undecorated({line.task for line in lines} - tasks.keys(), files),
        queues=known_queues(app, tasks.values(), of_engine=ours),
        served=frozenset(queue for pool in engine_settings().pools for queue in pool.queues) if ours else None,
        fires_exactly_once=exactly_once,
        suppressions=sources.suppressions,
    )


def _undecorated(names: Iterable[str], files: list[Path]) -> dict[str, Place]:
    return {name: place for name in names if (place := undecorated_function(name, files)) is not None}


def _line(name: str, entry: ScheduleEntry, facts: Mapping[str, TaskFacts], *, anchored: bool) -> Line:
    task = facts.get(entry.task or "")
    options = entry.options or {}
    queue = options.get("queue")
    queue = str(getattr(queue, "name", queue)) if queue else None
    destination = queue or (task.queue if task else None)
    # Celery's own scheduler enqueues by the task, which may say so itself; the engine's does by name.
    expires = options.get("expires") or (task.expires if task and not anchored else None)
    spacing = QUEUE_BY_NAME[destination].spacing_minutes if destination in QUEUE_BY_NAME else 0
    return Line(
        name=name,
        task=entry.task or "",
        **_when(entry.schedule, anchored=anchored),
        expires=float(expires) if isinstance(expires, int | float) else None,
        queue=queue,
        facts=task,
        **{"spacing": spacing, **_of_entry(entry.schedule)},
    )


def _when(schedule: Any, *, anchored: bool) -> dict[str, Any]:
    """The fields of a Line that its schedule decides."""
    match schedule:
        case EntrySchedule():
            return _own(schedule.entry.when)
        case crontab() if type(schedule) is crontab:  # what is derived from it may be due at other minutes
            zone = str(schedule.tz)
            return {
                "words": cron_text(schedule),
                "pattern": pattern_of(schedule),
                "cron": schedule,
                "zone": UTC_ZONE if zone in IN_UTC else zone,
            }
        case interval() if type(schedule) is interval:
            return _of_interval(vars(schedule)["run_every"], anchored=anchored)
    kind = type(schedule).__name__
    return {
        "words": str(schedule),
        "pattern": None,
        "unclear": f"it is of type {kind}, whose due minutes are unknown",
    }


def _own(when: str | Every) -> dict[str, Any]:
    words = when if isinstance(when, str) else str(when)
    pattern, schedule = _pattern(when)
    return {"words": words, "pattern": pattern, "cron": schedule if isinstance(schedule, crontab) else None}


def _pattern(when: str | Every) -> tuple[Pattern, Schedule | None]:
    try:
        schedule = understood(when)
    except NeverFiresError:
        return NEVER, None
    return pattern_of(schedule), schedule


def _of_interval(period: timedelta, *, anchored: bool) -> dict[str, Any]:
    if anchored and period < SHORTEST_PERIOD:
        unclear = f"its interval is {period.total_seconds():g} s, and one second is the shortest"
        return {"words": f"every {period.total_seconds():g} s", "pattern": None, "unclear": unclear}
    told = {"words": f"every {period.total_seconds():g} s", "interval": period, "floating": not anchored}
    try:
        return {**told, "pattern": pattern_of(period)}
    except ValueError as error:
        return {**told, "pattern": None, "unclear": str(error)}


def _of_entry(schedule: Any) -> dict[str, Any]:
    """What only the engine's own entries say."""
    if not isinstance(schedule, EntrySchedule):
        return {}
    entry = schedule.entry
    spacing = {} if entry.spacing is None else {"spacing": entry.spacing}
    candidates = tuple((when, _pattern(when)[0]) for when in entry.candidates)
    return {**spacing, "candidates": candidates, "overlap_allowed": entry.overlap == "allow"}


def cron_text(schedule: Any) -> str:
    """A crontab as it was written, in cron's order: minute, hour, day of month, month, day of week."""
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    return " ".join(_field(getattr(schedule, f"_orig_{name}")) for name in names)


def _field(value: Any) -> str:
    return ",".join(map(str, sorted(value))) if isinstance(value, set | frozenset | list | tuple) else str(value)
