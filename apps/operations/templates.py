"""Templates in the database: which are to be looked at, and all that planning has to know of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from django.db.models import Q

from apps.organization.models import Asset, Holiday

from .holidays import Holidays
from .models import Job
from .template import Stop, Template


def template_ids(kinds: Collection[str], *, after: int, limit: int) -> Sequence[int]:
    """Templates of active tenants with an id above `after`, ascending: those in use, and those that were."""
    in_use = Q(parent=None, enabled=True) & ~Q(cron="")
    was_in_use = Q(last_generated_until__isnull=False)
    rows = Job.objects.filter(in_use | was_in_use, kind__in=kinds, pk__gt=after, site__tenant__is_active=True)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def lock_templates(ids: Collection[int]) -> list[Template]:
    """Lock those of these templates that nobody else has locked, and read them; ascending. Three queries.

    Occurrences may be added by others meanwhile, as their foreign keys need no more than the template's key.
    """
    rows = Job.objects.filter(pk__in=ids).select_related("site", "asset").order_by("pk")
    jobs = list(rows.select_for_update(of=("self",), skip_locked=True, no_key=True))
    stops = _stops([job.pk for job in jobs])
    holidays = _holidays({job.site.tenant_id for job in jobs})
    return [_template(job, stops[job.pk], _at(job, holidays)) for job in jobs]


def _template(job: Job, stops: Sequence[Stop], holidays: Holidays) -> Template:
    return Template(
        job_id=job.pk,
        kind=job.kind,
        timezone=job.site.timezone,
        cron=job.cron,
        valid_from=job.valid_from,
        valid_until=job.valid_until,
        time_allowed=job.time_allowed,
        remind_minutes=job.remind_minutes,
        holiday_policy=job.holiday_policy,
        content=(job.site_id, *_content(job)),
        is_in_use=bool(job.parent_id is None and job.enabled and job.cron and not _is_scrapped(job)),
        stops=tuple(stops),
        holidays=holidays,
        last_generated_until=job.last_generated_until,
        planned_as=job.planned_as,
    )


def _content(job: Job) -> tuple[object, ...]:
    return (job.asset_id, job.assignee_person_id, job.assignee_group_id, tuple(job.checklist))


def _is_scrapped(job: Job) -> bool:
    return job.asset is not None and job.asset.status == Asset.Status.SCRAPPED


def _stops(tours: Collection[int]) -> Mapping[int, list[Stop]]:
    """The checkpoints of each tour that are in use, in their order."""
    stops: dict[int, list[Stop]] = defaultdict(list)
    rows = Job.objects.filter(parent__in=tours, enabled=True).exclude(asset__status=Asset.Status.SCRAPPED)
    for tour, pk, plan, grace, expiry, *content in rows.order_by("seqno", "pk").values_list(
        "parent_id",
        "pk",
        "plan_minutes",
        "grace_minutes",
        "expiry_minutes",
        "asset_id",
        "assignee_person_id",
        "assignee_group_id",
        "checklist",
    ):
        allowed = timedelta(minutes=plan + grace + expiry)
        stops[tour].append(Stop(job_id=pk, plan_minutes=plan, time_allowed=allowed, content=tuple(content)))
    return stops


Days = Mapping[tuple[int, int | None], Sequence[tuple[date, bool]]]


def _holidays(tenants: Collection[int]) -> Days:
    """Holidays, and whether each comes every year, by tenant and site; those of all sites stand under None."""
    days: dict[tuple[int, int | None], list[tuple[date, bool]]] = defaultdict(list)
    for tenant, site, day, recurring in Holiday.objects.filter(tenant__in=tenants).values_list(
        "tenant_id", "site_id", "date", "recurring"
    ):
        days[tenant, site].append((day, recurring))
    return days


def _at(job: Job, holidays: Days) -> Holidays:
    tenant = job.site.tenant_id
    days = [*holidays.get((tenant, None), ()), *holidays.get((tenant, job.site_id), ())]
    return Holidays(
        once=frozenset(day for day, recurring in days if not recurring),
        yearly=frozenset((day.month, day.day) for day, recurring in days if recurring),
    )
