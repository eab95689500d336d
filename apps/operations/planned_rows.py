"""Planned occurrences as rows: written and taken away many at a time, each kind of row by one statement.

Written as SQL because only the database knows which occurrences are new, and the rows of a large company are many.
All functions need a transaction around them that has the templates' locks.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import connection

from .models import JobNeed
from .occurrences import CheckpointPlan, OccurrencePlan

_HERE: Final = Path(__file__).parent
_ADD: Final = (_HERE / "add_occurrences.sql").read_text()
_ADD_CHECKLISTS: Final = (_HERE / "add_checklists.sql").read_text()
_REMOVE: Final = (_HERE / "remove_untouched.sql").read_text()
_ADD_REMINDERS: Final = """
    INSERT INTO operations_reminder (jobneed_id, remind_at, status, attempts)
    SELECT due.jobneed_id, due.remind_at, 'PENDING', 0
    FROM unnest(%(jobneed_ids)s::bigint[], %(remind_ats)s::timestamptz[]) AS due (jobneed_id, remind_at)
"""
_NOTE: Final = """
    UPDATE operations_job AS job
    SET last_generated_until = note.until, planned_as = note.planned_as
    FROM unnest(%(job_ids)s::bigint[], %(untils)s::timestamptz[], %(planned_as)s::text[])
        AS note (job_id, until, planned_as)
    WHERE job.id = note.job_id
"""

Row = Sequence[Any]
Ids = Mapping[tuple[int, datetime], int]  # of root occurrences, by job and planned moment


def remove_untouched(job_ids: Collection[int], *, after: datetime) -> int:
    """Take away the occurrences of these jobs planned after `after` that nobody has begun. Returns how many.

    Those that a person added beside the plan stay.
    """
    roots = JobNeed.objects.filter(
        job__in=job_ids, parent=None, status=JobNeed.Status.ASSIGNED, planned_at__gt=after, added_by_hand=False
    )
    locked = list(roots.order_by("pk").select_for_update().values_list("pk", flat=True))
    if not locked:
        return 0
    return sum(parent is None for (parent,) in _rows(_REMOVE, root_ids=locked))


def add_occurrences(plans: Collection[OccurrencePlan]) -> tuple[Ids, int]:
    """Write those occurrences that are not there yet, with all that belongs to them.

    Returns the ids of the new roots, and the number of new checkpoints.
    """
    roots = {(job_id, planned_at): pk for pk, job_id, _, planned_at in _add((one, None) for one in plans)}
    made = [(one, pk) for one in plans if (pk := roots.get((one.job_id, one.planned_at))) is not None]
    checkpoints = _add((checkpoint, pk) for one, pk in made for checkpoint in one.checkpoints)
    if made:
        _execute(_ADD_CHECKLISTS, jobneed_ids=[*roots.values(), *(pk for pk, *_ in checkpoints)])
    return roots, len(checkpoints)


def add_reminders(plans: Iterable[OccurrencePlan], roots: Ids) -> int:
    """Write the reminders of new root occurrences. Returns how many."""
    due = [
        (pk, one.remind_at)
        for one in plans
        if one.remind_at is not None and (pk := roots.get((one.job_id, one.planned_at))) is not None
    ]
    if due:
        ids, instants = zip(*due, strict=True)
        _execute(_ADD_REMINDERS, jobneed_ids=list(ids), remind_ats=list(instants))
    return len(due)


def note(planned: Collection[tuple[int, datetime | None, str]]) -> None:
    """Remember of jobs, by id, until when they have been planned and by which fingerprint."""
    if planned:
        job_ids, untils, fingerprints = zip(*planned, strict=True)
        _execute(_NOTE, job_ids=list(job_ids), untils=list(untils), planned_as=list(fingerprints))


def _add(plans: Iterable[tuple[OccurrencePlan | CheckpointPlan, int | None]]) -> list[Row]:
    """New rows as (id, job, parent, planned moment)."""
    rows = list(plans)
    if not rows:
        return []
    return _rows(
        _ADD,
        job_ids=[one.job_id for one, _ in rows],
        parent_ids=[parent for _, parent in rows],
        planned_ats=[one.planned_at for one, _ in rows],
        expires_ats=[one.expires_at for one, _ in rows],
    )


def _rows(sql: str, **values: Any) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[Row] = cursor.fetchall()
        return rows


def _execute(sql: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
