"""Looking at everything that a scrape tells."""

from collections.abc import Mapping
from datetime import datetime
from threading import Lock

import redis
from celery import current_app
from django.db import Error as DatabaseError
from django.db.models import Count

from apps.core.actions.models import OperatorAction
from apps.core.broker.configured import is_leased
from apps.core.health.last_known import recall
from apps.core.health.servers import message_store
from apps.core.health.snapshot import Snapshot
from apps.core.metrics.numbers import Numbers
from apps.core.metrics.reader import totals

from ..looking import look
from .observation import Observation

_lock = Lock()
_last_success: datetime | None = None  # of this process


def gather(*, now: datetime) -> Observation:
    """Raises nothing for servers that are down."""
    snapshot = look(now=now).snapshot
    broker_up, database_up = not snapshot.broker.unreachable, snapshot.database is not None
    counted = read_totals() if broker_up else None
    actions = read_actions() if database_up else None
    all_read = broker_up and actions is not None and (counted is not None or not is_leased())
    return Observation(
        snapshot=snapshot,
        totals=counted,
        operator_actions=actions,
        up={"broker": broker_up, "database": database_up},
        last_success=_note_success(snapshot) if all_read else _recall_success(now),
    )


def read_totals() -> Numbers | None:
    """None where the broker cannot be asked, or counts nothing since it is none of ours."""
    if not is_leased():
        return None
    try:
        return totals(message_store(current_app.conf))
    except redis.RedisError:
        return None


def read_actions() -> Mapping[tuple[str, str], int] | None:
    """Those that have ended: a row that is still open would be counted twice."""
    ended = OperatorAction.objects.exclude(result=OperatorAction.Result.STARTED).order_by()
    counted = ended.values_list("action", "result").annotate(count=Count("pk"))
    try:
        return {(action, result): count for action, result, count in counted}
    except DatabaseError:
        return None


def _note_success(snapshot: Snapshot) -> datetime:
    global _last_success
    with _lock:
        _last_success = snapshot.at
    return snapshot.at


def _recall_success(now: datetime) -> datetime | None:
    """This process's own, or what another one of this machine has left behind."""
    kept = recall(now=now)
    return max((at for at in (_last_success, kept.at if kept else None) if at is not None), default=None)
