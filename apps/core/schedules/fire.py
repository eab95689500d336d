"""Firing an entry: the row of the firing and the outbox row of its job, in one transaction."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from .. import steps
from ..context import ENTRY_HEADER, HEADERS
from ..logs import get_logger
from . import pausing, rows
from .models import Firing
from .plan import Plan

# Seconds for which a job that never expires, or has no time limit, keeps an entry with overlap="skip" from firing.
LONGEST_HOLD: Final = 86_400.0

log = get_logger(__name__)


def fire(app: Any, plan: Plan, *, due: datetime, now: datetime, manual: bool = False) -> str | None:
    """Fire a due instant unless somebody has. Returns the job's id, or None where there is no new job.

    An entry that is paused now, or was at that instant, is not fired, unless by hand.
    Raises django.db.Error, and whatever enqueueing the job raises; then nothing has happened.
    """
    with transaction.atomic():
        if not manual:
            rows.settle(plan.name, due)
            if (state := pausing.state_of(plan.name)) is not None and (state.is_paused(now) or state.was_paused(due)):
                _leave(plan, due, now, Firing.Outcome.PAUSED, why=pausing.why(state))
                return None
            if plan.policy.overlap == "skip" and (running := rows.unended(plan.name, now).exclude(due=due).first()):
                why = f"the job of {running.due.isoformat()} has not ended"
                _leave(plan, due, now, Firing.Outcome.SKIPPED, why=why)
                return None
        firing = Firing(
            entry=plan.name,
            due=due,
            manual=manual,
            job=str(uuid.uuid4()),
            outcome=Firing.Outcome.ENQUEUED,
            enqueued_at=now,
            held_until=now + timedelta(seconds=plan.expires or LONGEST_HOLD),
        )
        if not rows.write(firing):
            return None
        steps.reached("firing.written", entry=plan.name, due=due.isoformat(), job=firing.job)
        job = _enqueue(app, plan, firing)
        steps.reached("firing.enqueued", entry=plan.name, due=due.isoformat(), job=job)
    if job != firing.job:
        return None
    log.info("firing.enqueued", entry=plan.name, due=due.isoformat(), job=job)
    return job


def _enqueue(app: Any, plan: Plan, firing: Firing) -> str:
    app.finalize(auto=True)  # until then it does not know its tasks, and with them their queues
    args, kwargs = plan.arguments()
    headers = {
        **plan.options.get("headers", {}),
        "celery_beat_task": True,  # as Celery's own schedulers say
        HEADERS["firing"]: firing.due.isoformat(),
        ENTRY_HEADER: plan.name,
    }
    options = {**plan.options, "headers": headers, "task_id": firing.job}
    job: str = app.send_task(plan.task, args, kwargs, **options).id
    if job != firing.job:  # of a task with unique_on_enqueue
        why = f"job {job} with the same key waits or runs"
        ended = {"outcome": Firing.Outcome.SKIPPED, "ended_at": firing.enqueued_at}
        rows.note(firing.job, job="", enqueued_at=None, why=why, **ended)
    return job


def _leave(plan: Plan, due: datetime, now: datetime, outcome: Firing.Outcome, *, why: str) -> None:
    """Settle an instant without a job."""
    if rows.write(Firing(entry=plan.name, due=due, outcome=outcome, ended_at=now, why=why)):
        log.info(f"firing.{outcome}", entry=plan.name, due=due.isoformat(), why=why)
