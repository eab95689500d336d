"""The timetable as it is judged, once for all who look: to read the sources and to prove what holds takes a while."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final

from celery import current_app
from django.db import Error as DatabaseError
from django.db import transaction

from apps.core.checks import loaded_tasks
from apps.core.schedules import history
from apps.core.schedules.findings import Finding
from apps.core.schedules.plan import Plan, plans_of
from apps.core.schedules.rules import judge
from apps.core.schedules.timetable import Line, Timetable
from apps.core.timetable.gather import gather
from apps.core.timetable.load import Load, expected
from apps.core.timetable.report import summary

KEPT_FOR: Final = 300.0  # seconds: run times change, the sources of a process do not
MEASURED_FOR: Final = timedelta(days=30)
DAYS: Final = 7  # whose load is looked at

_lock = Lock()
_kept: dict[object, tuple[float, "Judged"]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    plans: Mapping[str, Plan]  # by the entry's name, in the order of the timetable
    lines: Mapping[str, Line]
    loads: Mapping[str, Load | None]  # None: it has no place in the day
    findings: tuple[Finding, ...]
    summary: str


def judged(now: datetime) -> Judged:
    """Raises DeclarationError for a timetable that cannot be read."""
    if error := getattr(current_app, "timetable_error", None):
        raise error
    plans = plans_of(current_app)
    name = tuple((plan.name, plan.task, plan.spec, plan.expires) for plan in plans.values())
    with _lock:
        at, found = _kept.get(name, (float("-inf"), None))
        if found is None or time.monotonic() - at > KEPT_FOR:
            found = _judge(plans, now)
            _kept.clear()  # of the timetable before a change nobody asks again
            _kept[name] = time.monotonic(), found
        return found


def forget() -> None:
    """For tests."""
    _kept.clear()


def _judge(plans: Mapping[str, Plan], now: datetime) -> Judged:
    tasks = {task.name: task for task in loaded_tasks(of_engine_only=False)}
    timetable: Timetable = gather(_application(), tasks, at=now, run_seconds=_run_seconds(now))
    findings = judge(timetable)
    loads = expected(timetable, days=DAYS).loads
    names = [line.name for line in timetable.lines]
    return Judged(
        plans=plans,
        lines=dict(zip(names, timetable.lines, strict=True)),
        loads=dict(zip(names, loads, strict=True)),
        findings=tuple(findings),
        summary=summary(findings, timetable),
    )


def _application() -> Any:
    return current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - not the proxy


def _run_seconds(now: datetime) -> Mapping[str, float]:
    try:
        with transaction.atomic():
            return history.run_seconds(now - MEASURED_FOR)
    except DatabaseError:
        return {}
