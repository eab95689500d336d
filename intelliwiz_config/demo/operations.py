"""Demonstration templates, 90 days of their occurrences, and what is planned for the next two."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from cronsim import CronSim

from apps.operations.models import ChecklistItem, Job, JobNeed
from apps.operations.planned_rows import note
from apps.operations.templates import lock_templates

from .organization import Place

HISTORY: Final = timedelta(days=90)
PLANNED: Final = timedelta(days=2)

Status = JobNeed.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A template that every site has."""

    name: str
    kind: str
    cron: str  # in the site's time zone
    on_expiry: str
    category: str = "Missed work"
    priority: str = "MEDIUM"
    equipment: int | None = None  # the index of the asset that it is about
    by_team: bool = False  # given to the site's team, not to one guard
    checkpoints: tuple[str, ...] = ()
    checklist: tuple[str, ...] = ()


PLANS: Final = (
    Plan(
        name="Perimeter patrol",
        kind="EXTERNAL_TOUR",
        cron="0 22 * * 1",
        on_expiry="NOTIFY",
        by_team=True,
        checkpoints=("Main gate", "Car park", "North fence"),
    ),
    Plan(
        name="Indoor patrol",
        kind="INTERNAL_TOUR",
        cron="30 6 * * 4",
        on_expiry="RAISE_TICKET",
        category="Safety",
        priority="HIGH",
        checkpoints=("Lobby", "Server room"),
        checklist=("Doors locked", "Lights off"),
    ),
    Plan(
        name="Fire panel check",
        kind="TASK",
        cron="0 9 * * 2",
        on_expiry="RAISE_TICKET",
        category="Safety",
        priority="CRITICAL",
        equipment=0,
        checklist=("No fault is shown", "The log is signed"),
    ),
    Plan(
        name="Generator service",
        kind="PPM",
        cron="0 10 1 * *",
        on_expiry="NOTIFY",
        category="Maintenance",
        equipment=1,
        checklist=("Oil", "Fuel", "Ten minutes under load"),
    ),
    Plan(name="Shift report", kind="SITE_REPORT", cron="0 18 * * 5", on_expiry="NONE", priority="LOW"),
)


@dataclass(slots=True, kw_only=True)
class Rows:
    """Rows of one site that wait to be written together."""

    roots: list[JobNeed] = field(default_factory=list)
    checkpoints: list[JobNeed] = field(default_factory=list)
    checklist: list[ChecklistItem] = field(default_factory=list)

    def write(self) -> None:
        JobNeed.objects.bulk_create(self.roots)
        JobNeed.objects.bulk_create(self.checkpoints)
        ChecklistItem.objects.bulk_create(self.checklist)


def make_work(place: Place, now: datetime, chance: Random) -> None:
    """Templates and occurrences of one site. Of each template the newest that has expired is still open."""
    rows = Rows()
    for number, plan in enumerate(PLANS):
        job = Job.objects.create(**_template(place, plan, now, chance))
        stops = Job.objects.bulk_create(
            _stop(job, name, seqno) for seqno, name in enumerate(plan.checkpoints, start=1)
        )
        instants = list(_instants(job, now))
        overdue = max((instant for instant in instants if instant + job.time_allowed <= now), default=None)
        for instant in instants:
            if instant == overdue:
                begun = (place.position + number) % 3  # 0: not at all, 1: in part, 2: all done but not reported
                _add(rows, job, stops, instant, _open(begun), begun, chance)
            elif instant + job.time_allowed <= now:
                _add(rows, job, stops, instant, _closed(plan, chance), 1, chance)
            else:
                _add(rows, job, stops, instant, Status.ASSIGNED, 0, chance)
    rows.write()
    _note_plans(place)


def _note_plans(place: Place) -> None:
    """That the occurrences are what the templates plan, so that planning has nothing to replace."""
    templates = lock_templates(place.site.jobs.filter(parent=None).values_list("pk", flat=True))
    note([(template.job_id, template.last_generated_until, template.fingerprint) for template in templates])


def _template(place: Place, plan: Plan, now: datetime, chance: Random) -> dict[str, object]:
    return {
        "site": place.site,
        "name": plan.name,
        "kind": plan.kind,
        "cron": plan.cron,
        "valid_from": now - HISTORY,
        "plan_minutes": 45,
        "grace_minutes": 15,
        "expiry_minutes": 120,
        "checklist": list(plan.checklist),
        "asset": None if plan.equipment is None else place.assets[plan.equipment],
        "assignee_group": place.team if plan.by_team else None,
        "assignee_person": None if plan.by_team else chance.choice(place.guards),
        "priority": plan.priority,
        "category": plan.category,
        "on_expiry": plan.on_expiry,
        "last_generated_until": now + PLANNED,
    }


def _stop(tour: Job, name: str, seqno: int) -> Job:
    """The template of a tour's checkpoint."""
    copied = ("site", "kind", "valid_from", "assignee_person", "assignee_group", "priority", "category")
    return Job(parent=tour, name=name, seqno=seqno, **{name: getattr(tour, name) for name in copied})


def _instants(job: Job, now: datetime) -> Iterator[datetime]:
    for local in CronSim(job.cron, (now - HISTORY).astimezone(job.site.zone)):
        instant = local.astimezone(UTC)
        if instant > now + PLANNED:
            return
        yield instant


def _open(begun: int) -> JobNeed.Status:
    return Status.IN_PROGRESS if begun else Status.ASSIGNED


def _closed(plan: Plan, chance: Random) -> JobNeed.Status:
    """How an occurrence of the past ended; mostly well."""
    ended = chance.choices((Status.COMPLETED, Status.PARTIALLY_COMPLETED, Status.AUTO_CLOSED), weights=(92, 4, 4))[0]
    return Status.AUTO_CLOSED if ended == Status.PARTIALLY_COMPLETED and not plan.checkpoints else ended


def _add(
    rows: Rows,
    job: Job,
    stops: list[Job],
    planned_at: datetime,
    status: JobNeed.Status,
    begun: int,
    chance: Random,
) -> None:
    """One occurrence with its checkpoints and checklist; `begun` as in `make_work`."""
    root = _occurrence(job, planned_at, job.time_allowed, status, chance)
    rows.roots.append(root)
    for number, stop in enumerate(stops):
        stop_status = _stop_status(status, begun, is_first=number == 0)
        rows.checkpoints.append(_occurrence(stop, planned_at, job.time_allowed, stop_status, chance, parent=root))
    all_done = status == Status.COMPLETED or begun == 2
    for position, text in enumerate(job.checklist, start=1):
        rows.checklist.append(ChecklistItem(jobneed=root, position=position, text=text, is_done=all_done))


def _stop_status(status: JobNeed.Status, begun: int, *, is_first: bool) -> JobNeed.Status:
    if status == Status.COMPLETED or begun == 2:
        return Status.COMPLETED
    if status == Status.PARTIALLY_COMPLETED or (status == Status.IN_PROGRESS and begun):
        return Status.COMPLETED if is_first else _unvisited(status)
    return _unvisited(status)


def _unvisited(status: JobNeed.Status) -> JobNeed.Status:
    return Status.ASSIGNED if status in JobNeed.OPEN else Status.AUTO_CLOSED


def _occurrence(
    job: Job,
    planned_at: datetime,
    allowed: timedelta,
    status: JobNeed.Status,
    chance: Random,
    parent: JobNeed | None = None,
) -> JobNeed:
    done = status == Status.COMPLETED
    return JobNeed(
        job=job,
        parent=parent,
        site=job.site,
        asset=job.asset,
        assignee_person=job.assignee_person,
        assignee_group=job.assignee_group,
        planned_at=planned_at,
        expires_at=planned_at + allowed,
        status=status,
        performed_at=planned_at + timedelta(minutes=chance.randint(1, 59)) if done else None,
        closed_by_server=status in {Status.AUTO_CLOSED, Status.PARTIALLY_COMPLETED},
    )
