"""Templates for tests of planning, without the database."""

from datetime import UTC, datetime, timedelta
from typing import Any

from apps.operations.occurrences import plan
from apps.operations.template import Stop, Template

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def template(**fields: Any) -> Template:
    """A weekly task in London; `fields` change it."""
    usual: dict[str, Any] = {
        "job_id": 1,
        "kind": "TASK",
        "timezone": "Europe/London",
        "cron": "0 9 * * 1",
        "valid_from": LONG_AGO,
        "valid_until": None,
        "time_allowed": timedelta(minutes=90),
        "remind_minutes": 0,
        "holiday_policy": "KEEP",
        "content": (),
        "is_in_use": True,
    }
    return Template(**{**usual, **fields})


def stop(job_id: int, *, plan_minutes: int = 10, allowed: int = 30) -> Stop:
    return Stop(job_id=job_id, plan_minutes=plan_minutes, time_allowed=timedelta(minutes=allowed), content=())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def planned(since: str, until: str, **fields: Any) -> list[str]:
    """When such a template is planned, as `utc` reads it, for a first run at `since`."""
    plans = plan(template(**fields), now=utc(since), horizon=utc(until))
    return [f"{one.planned_at:%Y-%m-%d %H:%M}" for one in plans]
