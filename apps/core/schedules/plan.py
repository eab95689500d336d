"""What the scheduler knows of an entry, whoever has put it into Celery's `beat_schedule`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from celery.beat import BeatLazyFunc, ScheduleEntry
from celery.schedules import crontab
from celery.schedules import schedule as interval

from ..exceptions import DeclarationError
from .beat_schedule import EntrySchedule
from .catch_up import Policy
from .firings import Schedule, next_firing

SHORTEST_PERIOD: Final = timedelta(seconds=1)  # beat looks once a second
IN_UTC: Final = ("UTC", "Etc/UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    name: str
    task: str
    schedule: Schedule
    spec: str  # the schedule as text: where it changes, what was due by the old one is not caught up
    policy: Policy
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    options: Mapping[str, Any]  # of the enqueueing

    @property
    def expires(self) -> float | None:
        """Seconds after which a job that has not started is dropped; None: never."""
        value = self.options.get("expires")
        return float(value) if isinstance(value, int | float) else None

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """The arguments of a job that is enqueued now: Celery's lazy ones are computed."""
        return [_value(arg) for arg in self.args], {name: _value(arg) for name, arg in self.kwargs.items()}


def plan_of(entry: ScheduleEntry) -> Plan:
    """The plan of one of Celery's entries. Raises DeclarationError for a schedule that has no due instants."""
    try:
        schedule, spec, policy = _understood(entry.schedule)
        next_firing(schedule, datetime.now(UTC))
    except (DeclarationError, ValueError) as error:
        raise DeclarationError(f"Entry {entry.name!r}: {error}") from None
    return Plan(
        name=entry.name or "",
        task=entry.task or "",
        schedule=schedule,
        spec=spec,
        policy=policy,
        args=entry.args or (),
        kwargs=entry.kwargs or {},
        options=entry.options or {},
    )


def plans_of(app: Any) -> dict[str, Plan]:
    """The plans of an application's `beat_schedule`, by name. Raises as `plan_of` does."""
    return {name: plan_of(entry) for name, entry in entries_of(app)}


def entries_of(app: Any) -> list[tuple[str, ScheduleEntry]]:
    """An application's `beat_schedule` as Celery's own entries, with their names. Raises DeclarationError."""
    return [(name, _entry(app, name, fields)) for name, fields in (app.conf.beat_schedule or {}).items()]


def _entry(app: Any, name: str, fields: Any) -> ScheduleEntry:
    try:
        return ScheduleEntry(**dict(fields, name=name, app=app))
    except (TypeError, ValueError, AttributeError) as error:
        raise DeclarationError(f"Entry {name!r} of beat_schedule is none: {error}") from None


def _understood(schedule: Any) -> tuple[Schedule, str, Policy]:
    # Exact types: what is derived from them may be due at other instants.
    if type(schedule) is EntrySchedule:
        return schedule.entry.schedule, str(schedule.entry.when), schedule.entry.policy
    if type(schedule) is crontab:
        if str(schedule.tz) not in IN_UTC:
            raise DeclarationError(f"its crontab is in {schedule.tz}; set CELERY_TIMEZONE to UTC and convert it")
        return schedule, repr(schedule), Policy()
    if type(schedule) is interval:
        period: Any = vars(schedule)["run_every"]
        if not isinstance(period, timedelta) or period < SHORTEST_PERIOD:
            raise DeclarationError(f"its interval is {period}; one second is the shortest")
        return period, f"every {period.total_seconds():g} s", Policy()
    raise DeclarationError(
        f"a schedule of type {type(schedule).__name__} cannot be fired exactly once: "
        "use Entry(when=…), a crontab or an interval"
    )


def _value(arg: Any) -> Any:
    return arg() if isinstance(arg, BeatLazyFunc) else arg
