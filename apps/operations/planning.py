"""Generating the occurrences of templates: many at a time, each batch in one transaction."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DataError, IntegrityError, transaction

from apps.core.logs import get_logger, redact

from . import planned_rows
from .models import Job
from .occurrences import MOST_ROWS, OccurrencePlan, plan, until
from .template import Template
from .templates import lock_templates, template_ids

BATCH: Final = 250  # templates
MAX_ERRORS: Final = 100  # errors listed one by one; further ones are counted

PPM: Final = frozenset({Job.Kind.PPM})
OTHER_KINDS: Final = frozenset(Job.Kind) - PPM
PPM_AHEAD: Final = timedelta(days=30)
OTHERS_AHEAD: Final = timedelta(days=2)

log = get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class PlanningOutcome:
    """Counts templates (looked at), created and replaced (root occurrences), checkpoints, reminders, failed, and
    skipped: templates in another worker's hands, or not in use any more."""

    counts: Counter[str] = field(default_factory=Counter)
    errors: list[dict[str, Any]] = field(default_factory=list)  # {"id", "reason"} of templates, MAX_ERRORS at most

    def failed(self, template_id: int, error: Exception) -> None:
        self.counts["failed"] += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append({"id": template_id, "reason": redact(f"{type(error).__name__}: {error}")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A template with the occurrences that are to be made."""

    template: Template
    occurrences: tuple[OccurrencePlan, ...]

    @property
    def rows(self) -> int:
        return sum(1 + len(one.checkpoints) for one in self.occurrences)


def plan_ppm(*, now: datetime) -> PlanningOutcome:
    """Generate preventive maintenance for the next 30 days."""
    return plan_work(PPM, now=now, ahead=PPM_AHEAD)


def plan_other_work(*, now: datetime) -> PlanningOutcome:
    """Generate all other kinds of work for the next 2 days."""
    return plan_work(OTHER_KINDS, now=now, ahead=OTHERS_AHEAD)


def plan_work(kinds: Collection[str], *, now: datetime, ahead: timedelta) -> PlanningOutcome:
    """Generate what is due before `now + ahead`, and replace what templates that have changed do not plan any more.

    A template that cannot be planned is reported, its occurrences stay as they are, and the rest goes on. Raises
    OperationalError, InterfaceError and SoftTimeLimitExceeded: these are no fault of a template. What was committed
    before stays.
    """
    outcome = PlanningOutcome()
    after = 0
    while ids := template_ids(kinds, after=after, limit=BATCH):
        after = _plan_batch(ids, now, now + ahead, outcome)
        log.info("planning.batch", after=after, **outcome.counts)
    return outcome


def _plan_batch(ids: Sequence[int], now: datetime, horizon: datetime, outcome: PlanningOutcome) -> int:
    """Plan these templates, or the first of them where they have too many occurrences. Returns the last one's id."""
    try:
        with transaction.atomic():
            batch = PlanningOutcome()
            last = _plan_locked(ids, now, horizon, batch)
    except (DataError, IntegrityError) as error:  # the database refuses a row: find out whose
        if len(ids) == 1:
            outcome.counts["templates"] += 1
            outcome.failed(ids[0], error)
        for one in ids if len(ids) > 1 else ():
            _plan_batch([one], now, horizon, outcome)
        return ids[-1]
    outcome.counts += batch.counts  # only what was committed counts
    outcome.errors += batch.errors[: MAX_ERRORS - len(outcome.errors)]
    return last


def _plan_locked(ids: Sequence[int], now: datetime, horizon: datetime, outcome: PlanningOutcome) -> int:
    """Needs a transaction around it. Returns the last id that was planned."""
    templates = lock_templates(ids)
    planned, last = _planned(templates, ids[-1], now, horizon, outcome)
    looked_at = [one for one in ids if one <= last]
    outcome.counts["templates"] += len(looked_at)
    outcome.counts["skipped"] += len(looked_at) - sum(one.job_id <= last for one in templates)
    outcome.counts["skipped"] += sum(not one.template.is_in_use for one in planned)
    _write(planned, now, horizon, outcome)
    return last


def _planned(
    templates: Iterable[Template], last: int, now: datetime, horizon: datetime, outcome: PlanningOutcome
) -> tuple[list[Planned], int]:
    """Templates with their plans, and up to which id; as many as have MOST_ROWS rows together."""
    planned: list[Planned] = []
    rows = 0
    for template in templates:
        try:
            one = Planned(template=template, occurrences=plan(template, now=now, horizon=horizon))
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one template must not stop the others
            outcome.failed(template.job_id, error)
            continue
        planned.append(one)
        rows += one.rows
        if rows >= MOST_ROWS:
            return planned, template.job_id
    return planned, last


def _write(planned: Sequence[Planned], now: datetime, horizon: datetime, outcome: PlanningOutcome) -> None:
    changed = [one.template.job_id for one in planned if one.template.has_changed]
    if changed:
        outcome.counts["replaced"] += planned_rows.remove_untouched(changed, after=now)
    plans = [occurrence for one in planned for occurrence in one.occurrences]
    roots, checkpoints = planned_rows.add_occurrences(plans)
    outcome.counts["created"] += len(roots)
    outcome.counts["checkpoints"] += checkpoints
    outcome.counts["reminders"] += planned_rows.add_reminders(plans, roots)
    planned_rows.note([note for one in planned if (note := _note(one.template, horizon)) is not None])


def _note(template: Template, horizon: datetime) -> tuple[int, datetime | None, str] | None:
    """What is to be remembered of a template; None where that is known."""
    made_until: datetime | None = None
    if template.is_in_use:
        ends, before = until(template, horizon), template.last_generated_until
        made_until = ends if template.has_changed or before is None else max(ends, before)
    if not template.has_changed and made_until == template.last_generated_until:
        return None
    return template.job_id, made_until, template.fingerprint
