"""The timetable: each entry in words, when it fires next, how its last firings went, and what is wrong with it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from apps.core.exceptions import DeclarationError
from apps.core.runs.query import RunQuery
from apps.core.schedules.findings import Finding
from apps.core.schedules.firings import next_firing
from apps.core.schedules.models import ScheduleState
from apps.core.timetable.words import in_words

from .. import firings
from ..access import page
from ..heat import Heat, heat
from ..judged import Judged, judged
from .base import show


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    task: str
    queue: str | None
    words: str
    next: datetime
    state: ScheduleState | None  # None: no beat has ever seen it
    is_paused: bool
    strip: firings.Strip
    heat: Heat | None
    findings: tuple[Finding, ...]
    runs: str  # the address of the runs of its jobs


@require_safe
@page
def schedules(request: HttpRequest) -> HttpResponse:
    now = datetime.now(UTC)
    try:
        found = judged(now)
    except DeclarationError as error:
        return show(request, "monitoring/schedules.html", title="Schedules", place="schedules", unreadable=str(error))
    return show(
        request,
        "monitoring/schedules.html",
        title="Schedules",
        place="schedules",
        rows=rows(found, now),
        signs=(*firings.ALL,),
        findings=found.findings,
        summary=found.summary,
        gone=list(ScheduleState.objects.exclude(name__in=found.plans).values_list("name", flat=True)[:20]),
    )


def rows(found: Judged, now: datetime) -> list[Row]:
    """In the order in which they fire next."""
    states = {state.name: state for state in ScheduleState.objects.filter(name__in=found.plans)}
    strips = firings.latest(tuple(found.plans), now)
    made = [
        Row(
            name=name,
            task=plan.task,
            queue=found.lines[name].destination,
            words=in_words(found.lines[name]),
            next=next_firing(plan.schedule, now),
            state=states.get(name),
            is_paused=name in states and states[name].is_paused(now),
            strip=strips[name],
            heat=heat(found.loads[name]),
            findings=tuple(finding for finding in found.findings if name in finding.entries),
            runs=f"{reverse('admin:monitoring_celery_runs')}?{urlencode({'q': str(RunQuery(entry=name))})}",
        )
        for name, plan in found.plans.items()
    ]
    return sorted(made, key=lambda row: row.next)
