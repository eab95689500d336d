"""Which occurrences a template has in a span of time: the rule, without the database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from apps.core.exceptions import PermanentError

from .cron import ONE_DAY, instants_of, names_every_hour, times_on_days
from .holidays import LONGEST_MOVE, Policy
from .template import Template

MOST_ROWS: Final = 20_000  # occurrences and checkpoints of one template that are planned at once
MOST_TIMES: Final = 2 * MOST_ROWS  # on the clock: the margins around the span count, too


class TooManyOccurrencesError(PermanentError):
    """The template is due too often; plan it for fewer times, or in tours with fewer checkpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPlan:
    job_id: int
    planned_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrencePlan:
    job_id: int
    planned_at: datetime
    expires_at: datetime
    remind_at: datetime | None
    checkpoints: tuple[CheckpointPlan, ...] = ()


def plan(template: Template, *, now: datetime, horizon: datetime) -> tuple[OccurrencePlan, ...]:
    """The occurrences that are still to be made, oldest first: planned at `now` or later, before `horizon`.

    Those before `last_generated_until` have been made, unless the template has changed since. Raises CronError,
    TooManyOccurrencesError, and what an unknown time zone or a date out of range raises (LookupError, OverflowError).
    """
    if not template.is_in_use:
        return ()
    most = MOST_ROWS // (1 + len(template.stops))
    plans: list[OccurrencePlan] = []
    for instant in due_instants(template, since=since(template, now), until=until(template, horizon)):
        if len(plans) >= most:
            raise TooManyOccurrencesError
        plans.append(_occurrence(template, instant))
    return tuple(plans)


def since(template: Template, now: datetime) -> datetime:
    """From when on occurrences are still to be made, inclusive."""
    made = None if template.has_changed else template.last_generated_until
    return max(now, template.valid_from, made or now)


def until(template: Template, horizon: datetime) -> datetime:
    """When the span ends that occurrences are made for, exclusive."""
    return min(horizon, template.valid_until or horizon)


def due_instants(template: Template, *, since: datetime, until: datetime) -> Iterator[datetime]:
    """When it is due from `since` (inclusive) to `until` (exclusive), each instant once, ascending."""
    found = {instant for instant in _instants(template, since, until) if since <= instant < until}
    return iter(sorted(found))


def _instants(template: Template, since: datetime, until: datetime) -> Iterator[datetime]:
    """A superset of `due_instants`."""
    if since >= until:
        return
    zone, both = template.zone, names_every_hour(template.cron)
    # Clocks may be set by up to a day; and a holiday before `since` may have moved work into the span.
    margin = ONE_DAY + (LONGEST_MOVE if template.holiday_policy == Policy.NEXT_WORKDAY else timedelta())
    first, last = since.astimezone(zone).date() - margin, until.astimezone(zone).date() + ONE_DAY
    times = times_on_days(template.cron, first, last, MOST_TIMES)
    if len(times) > MOST_TIMES:
        raise TooManyOccurrencesError
    for local in times:
        moved = template.holidays.moved(local, template.holiday_policy)
        if moved is None or (moved != local and instants_of(local, zone, both=False)[0] < template.valid_from):
            continue  # left out, or moved from a day on which the template was not valid yet
        yield from instants_of(moved, zone, both=both)


def _occurrence(template: Template, planned_at: datetime) -> OccurrencePlan:
    """One time that the template is due. A tour's checkpoints follow each other, each as long as it takes."""
    checkpoints = []
    begins = planned_at
    for stop in template.stops:
        checkpoints.append(
            CheckpointPlan(job_id=stop.job_id, planned_at=begins, expires_at=begins + stop.time_allowed)
        )
        begins += timedelta(minutes=stop.plan_minutes)
    return OccurrencePlan(
        job_id=template.job_id,
        planned_at=planned_at,
        expires_at=max((one.expires_at for one in checkpoints), default=planned_at + template.time_allowed),
        remind_at=planned_at - timedelta(minutes=template.remind_minutes) if template.remind_minutes else None,
        checkpoints=tuple(checkpoints),
    )
