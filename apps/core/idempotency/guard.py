"""Running a job under its key: once, or not at all, or later."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NoReturn, Protocol

import redis
from celery.exceptions import Ignore, Reject, Retry, SoftTimeLimitExceeded
from django.db import Error as DatabaseError
from kombu.exceptions import OperationalError as BrokerError

from ..exceptions import DuplicateOfFailedError, DuplicateRunningError, StoreDownError
from ..logs import get_logger, redact
from ..masking import scrub, secrets
from ..redis_client import store as redis_store
from ..told import tell
from . import durable
from .durable import DoneBeforeError
from .options import OnDuplicate, OnStoreDown
from .store import Claimed, Ended, Failed, Held, IdempotencyStore, Succeeded

WAIT: Final = 1.0  # seconds until a duplicate that waits asks again
AFTER_RETRY: Final = 60.0  # seconds that a key is kept for a retry beyond its due time

log = get_logger(__name__)


class GuardedTask(Protocol):
    """What the guard needs of a task."""

    name: str
    sensitive_args: tuple[str, ...]
    on_duplicate: OnDuplicate
    on_store_down: OnStoreDown
    durable: bool
    idempotency_ttl: float
    idempotency_failure_ttl: float

    @property
    def request(self) -> Any: ...
    @property
    def run(self) -> Callable[..., Any]: ...
    def retry(self, *, exc: Exception) -> Retry: ...
    def signature_from_request(self, request: Any, **options: Any) -> Any: ...


@cache
def records() -> IdempotencyStore:
    """The store of this process."""
    return IdempotencyStore(redis_store())


def run_once(task: GuardedTask, key: str, body: Callable[[], Any]) -> Any:
    """The result of the one job that runs under `key`: this one's, or the stored one of an earlier job.

    Raises what the body raises; DuplicateOfFailedError, DuplicateRunningError; Retry where this job has to wait.
    """
    task.request.bgjobs_key = key
    began = time.perf_counter()
    try:
        outcome = records().claim(key, job=task.request.id)
    except redis.RedisError as error:
        tell(check="store_down")
        return _without_store(task, key, error, body)
    tell(check="claimed", check_us=int((time.perf_counter() - began) * 1_000_000))
    match outcome:
        case Claimed():
            again = outcome.attempt > 1 or bool((task.request.delivery_info or {}).get("redelivered"))
            return _run_claimed(task, outcome, _durably(task, key, body, may_be_done=again))
        case Succeeded():
            return _answer(task, outcome)
        case Failed():
            tell(check="failed")
            _log(task, key, "failed", of=outcome.job)
            raise DuplicateOfFailedError(outcome.error, outcome.message, job=outcome.job)
        case Held():
            return _meet_holder(task, outcome)


def _run_claimed(task: GuardedTask, claim: Claimed, body: Callable[[], Any]) -> Any:
    task.request.bgjobs_fence = claim.fence
    try:
        value = body()
    except Retry as retry:
        until_due = _seconds_until(retry.when)
        _end(task, claim, lambda: records().wait_for_retry(claim, until_due + AFTER_RETRY))
        raise
    except (Ignore, Reject):
        _end(task, claim, lambda: records().let_go(claim))
        raise
    except Exception as error:
        name, message = type(error).__name__, redact(scrub(str(error), _secrets(task)))
        _end(task, claim, lambda: records().fail(claim, name, message, task.idempotency_failure_ttl))
        raise
    if _end(task, claim, lambda: records().succeed(claim, value, task.idempotency_ttl)) is Ended.TAKEN_OVER:
        # Delivered again, it is answered with the result that counts; a rescued message has been already.
        raise Reject("another process has taken its key over", requeue=True)
    return value


def _durably(task: GuardedTask, key: str, body: Callable[[], Any], *, may_be_done: bool) -> Callable[[], Any]:
    """The body of a durable job as one that is answered by the record where that has been done before.

    `may_be_done`: look at the record first. Else it is only met at the end, when all of the body is rolled back.
    """
    if not task.durable:
        return body

    def run() -> Any:
        if may_be_done and (done := _done_before(task, key)) is not None:
            return _answer(task, done)
        try:
            return body()
        except DoneBeforeError as error:
            if (done := _done_before(task, key)) is not None:
                return _answer(task, done)
            raise Reject(error, requeue=True) from error  # its record has just been released

    return run


def _done_before(task: GuardedTask, key: str) -> Succeeded | None:
    """What the record says. Where the database does not answer, the job is tried again."""
    try:
        return durable.done_before(task.request.id, key)
    except DatabaseError as error:
        raise task.retry(exc=error) from error


def _secrets(task: GuardedTask) -> set[str]:
    return secrets(task.run, task.sensitive_args, task.request.args or (), task.request.kwargs or {})


def _end(task: GuardedTask, claim: Claimed, end: Callable[[], Ended]) -> Ended | None:
    """End a claim; None where that was not possible now, and is tried again in the background.

    A soft time limit that strikes here comes too late: the work is done, and the key must not stay claimed.
    """
    try:
        ended = end()
    except (redis.RedisError, SoftTimeLimitExceeded) as error:
        log.warning("idempotency.end_postponed", task=task.name, job=task.request.id, error=type(error).__name__)
        records().abandon(claim)
        threading.Thread(target=_keep_ending, args=(end, task.idempotency_ttl), daemon=True).start()
        return None
    if ended is not Ended.STORED:
        log.error("idempotency.claim_lost", task=task.name, job=task.request.id, why=ended.name.lower())
    return ended


def _keep_ending(end: Callable[[], Ended], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(WAIT)
        try:
            end()
        except redis.RedisError:
            continue
        return


def _answer(task: GuardedTask, done: Succeeded) -> Any:
    """The stored result; where it was not stored, the caller finds the first job's id in this one's meta."""
    _drop_row(task)
    tell(check="answered", duplicate_of=done.job)
    facts = {} if done.job == task.request.id else {"duplicate_of": done.job}
    if done.result.omitted:
        facts["result_omitted"] = done.result.omitted
    _mark(task, **facts)
    _log(task, done.key, "answered", of=done.job)
    return done.result.value


def _meet_holder(task: GuardedTask, held: Held) -> None:
    if held.job == task.request.id:
        _wait(task, held)  # another delivery of this very job is running, or was until a moment ago
    if task.on_duplicate == "raise":
        tell(check="refused", duplicate_of=held.job)
        _log(task, held.key, "refused", of=held.job)
        raise DuplicateRunningError(f"Job {held.job} with the same key is {held.state} since {_moment(held.since)}.")
    if task.on_duplicate == "wait" or _somebody_needs_the_result(task.request):
        _wait(task, held)
    _drop_row(task)
    tell(check="skipped", duplicate_of=held.job)
    _mark(task, duplicate_of=held.job)
    _log(task, held.key, "skipped", of=held.job)


def _drop_row(task: GuardedTask) -> None:
    """The job is answered without having run, so nothing else removes its row from the outbox."""
    if not task.durable:
        return
    try:
        durable.drop_row(task.request.id)
    except DatabaseError as error:
        raise task.retry(exc=error) from error


def _somebody_needs_the_result(request: Any) -> bool:
    """Whether the job is part of a chain, group or chord, or has callbacks."""
    return any(getattr(request, part, None) for part in ("chain", "group", "chord", "callbacks", "errbacks"))


def _wait(task: GuardedTask, held: Held) -> NoReturn:
    """Send the job back for a moment; that costs it no retry."""
    waiting = DuplicateRunningError(f"Job {held.job} with the same key is {held.state} since {_moment(held.since)}.")
    if task.request.is_eager:
        raise waiting  # in process nobody else would go on meanwhile
    tell(check="waiting")
    _log(task, held.key, "waiting", of=held.job)
    again = task.signature_from_request(task.request, countdown=WAIT, retries=task.request.retries)
    try:
        again.apply_async()
    except (redis.RedisError, BrokerError) as error:
        raise Reject(error, requeue=True) from error  # the message at hand is the only one there is
    when: Any = WAIT
    raise Retry(exc=waiting, when=when, sig=again)


def _without_store(task: GuardedTask, key: str, error: redis.RedisError, body: Callable[[], Any]) -> Any:
    log.warning(
        "idempotency.store_down",
        task=task.name,
        job=task.request.id,
        key=redact(key),
        policy=task.on_store_down,
        error=type(error).__name__,
    )
    if task.on_store_down == "run":
        return body()
    if task.on_store_down == "database":
        return _durably(task, key, body, may_be_done=True)()
    raise task.retry(exc=StoreDownError())


def _mark(task: GuardedTask, **facts: str) -> None:
    """Put facts into the meta of the job's result, where AsyncResult shows them: they travel as Celery's stamps."""
    request = task.request
    request.stamped_headers = [*(request.stamped_headers or []), *facts]
    request.stamps = {**(request.stamps or {}), **facts}


def _log(task: GuardedTask, key: str, outcome: str, *, of: str) -> None:
    log.info("job.duplicate", task=task.name, job=task.request.id, outcome=outcome, duplicate_of=of, key=redact(key))


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _seconds_until(when: Any) -> float:
    """Seconds until what Celery's Retry names: a moment, or a number of seconds."""
    if isinstance(when, datetime):
        return max((when - datetime.now(UTC)).total_seconds(), 0.0)
    return float(when or 0.0)
