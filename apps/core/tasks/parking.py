"""Sending a job back until a service is tried again, which costs it no retry."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

import redis
from celery.exceptions import Reject, Retry
from kombu.exceptions import OperationalError as BrokerError

from ..circuit_breaker import park as place_behind_probe
from ..exceptions import CircuitOpenError
from ..logs import get_logger

if TYPE_CHECKING:
    from .base import BaseTask

log = get_logger(__name__)


def waits_for_breaker(error: Exception, task: "BaseTask") -> TypeGuard[CircuitOpenError]:
    """Whether the job is to be parked: not where it runs in process, since nobody would go on with it later."""
    return isinstance(error, CircuitOpenError) and bool(error.service) and not task.request.is_eager


def park(task: "BaseTask", error: CircuitOpenError) -> NoReturn:
    """Put the job into its queue's delayed set. Raises Celery's Retry, or Reject where that was not possible.

    Its count of retries stays, and so does its claim on its key. No transaction may be open here.
    """
    job = str(task.request.id)
    due = datetime.fromtimestamp(_due(error, job), UTC)
    log.info("job.parked", task=task.name, job=job, service=error.service, due=due.isoformat())
    again: Any = task.signature_from_request(task.request, eta=due, retries=task.request.retries)
    try:
        again.apply_async()
    except (redis.RedisError, BrokerError) as unpublished:
        raise Reject(unpublished, requeue=True) from unpublished  # the message at hand is the only one there is
    raise Retry(exc=error, when=due, sig=again)


def _due(error: CircuitOpenError, job: str) -> float:
    try:
        return place_behind_probe(error.service, job)
    except redis.RedisError:
        return error.probe_at
