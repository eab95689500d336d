"""Celery's request for a leased job: how it ends decides what becomes of its message."""

import time
from collections.abc import Collection, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, Final

from billiard.exceptions import WorkerLostError
from celery import signals
from celery.exceptions import InvalidTaskError, Retry
from celery.worker import state
from celery.worker.request import Request
from celery.worker.strategy import default as celery_strategy

from .. import masking
from ..exceptions import CircuitOpenError, DuplicateRunningError
from ..logs import get_logger
from ..metrics import events
from ..retry import FailureReason, classify
from ..told import told_of
from . import run_notes
from .channel import LeasedMessage
from .ending import Ending, error_of, expired, revoked, timed_out
from .failure import Failure
from .run_times import run_times

PROCESS_DIED: Final = "process_died"  # event: the very process that ran the job

log = get_logger(__name__)


class LeasedRequest(Request):
    """With a broker that is no leased:// one, this is Celery's own request."""

    _process_died = False
    _ending: Ending | None = None  # what its message is set aside for, instead of being acknowledged
    _event, _reason = events.SUCCEEDED, events.NONE  # how this attempt ends, unless it is found otherwise
    _failure: Failure | None = None
    _told: Mapping[str, Any] = MappingProxyType({})  # by the process that ran it
    _is_counted = False

    def __init__(self, message: Any, *args: Any, **kwargs: Any) -> None:
        """Raises InvalidTaskError for a message that is no job's, where Celery's own would end the worker."""
        try:
            super().__init__(message, *args, **kwargs)
            _check_time_limits(*self.time_limits)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise InvalidTaskError(f"{type(error).__name__}: {error}") from error
        if self._sensitive:  # whoever enqueued it may not have known the task
            reprs = masking.masked(self.task.run, self._sensitive, self.args, self.kwargs)
            self._argsrepr, self._kwargsrepr = map(repr, reprs)
            self.request_dict.update(argsrepr=self._argsrepr, kwargsrepr=self._kwargsrepr)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Celery makes a class per task, whose `on_success` is its own; it is told how long the job took."""
        super().__init_subclass__(**kwargs)
        if (original := cls.__dict__.get("on_success")) is not None:

            @wraps(original)
            def on_success(self: Any, failed__retval__runtime: Any, **options: Any) -> Any:
                failed, text, seconds = failed__retval__runtime
                if not failed:  # else `on_failure` is called, too
                    run_times.note(seconds)
                    self.note_success(text)
                return original(self, failed__retval__runtime, **options)

            setattr(cls, "on_success", on_success)  # noqa: B010 - a method is replaced

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        if self.time_start:
            run_times.note(time.time() - self.time_start)
        secrets = masking.secrets(self.task.run, self._sensitive, self.args, self.kwargs)
        self._ending = Ending.of(exc_info, job=self.id, secrets=secrets)
        error = error_of(exc_info)
        self._process_died = isinstance(error, WorkerLostError) and not state.should_terminate
        self._told = told_of(exc_info)
        if isinstance(error, Retry):
            self._event, self._reason, self._failure = _sent_back(error, secrets)
        ended = super().on_failure(exc_info, send_failed_event, return_ok)
        self._count_late()
        return ended

    def on_timeout(self, soft: bool, timeout: float) -> Any:
        if not soft:
            self._ending = timed_out(timeout)
        ended = super().on_timeout(soft, timeout)
        if not soft:
            self._count_late()
        return ended

    def maybe_expire(self) -> Any:
        """Celery also notes the job as revoked: this worker would drop it when it is replayed."""
        if not super().maybe_expire():
            return False
        state.revoked.discard(self.id)
        return True

    def _announce_revoked(self, reason: str, terminated: bool, signum: Any, is_expired: bool) -> None:
        self._ending = expired(self.expires) if is_expired else revoked()
        super()._announce_revoked(reason, terminated, signum, is_expired)  # type: ignore[misc] # the types leave it out

    def info(self, safe: bool = False) -> Any:
        return super().info(safe=safe or bool(self._sensitive))

    @property
    def _sensitive(self) -> tuple[str, ...]:
        return tuple(getattr(self.task, "sensitive_args", ()))

    def on_accepted(self, pid: Any, time_accepted: float) -> None:
        super().on_accepted(pid, time_accepted)
        if isinstance(self.message, LeasedMessage):
            self.message.custody.attempts.begin(self.message.entry.lease, self)

    def note_success(self, text: Any) -> None:
        self._told = told_of(text)
        if self._told.get("duplicate_of", self.id) != self.id:  # else it is answered with what it has done before
            self._event = events.DEDUPLICATED
        self._count_late()

    @property
    def shown(self) -> tuple[str, str]:
        """Its arguments for people."""
        return str(self._argsrepr)[: run_notes.LONGEST_SHOWN], str(self._kwargsrepr)[: run_notes.LONGEST_SHOWN]

    def _note(self) -> str:
        """What counts of this attempt. It counts once."""
        self._is_counted = True
        if (ending := self._ending) is not None:
            self._event, self._reason = ending.counted()
            self._failure = ending.failure
        return run_notes.of_request(self, self._event, self._reason, told=self._told, failure=self._failure)

    def _count_late(self) -> None:
        """Of a task that acknowledges before it runs: its message is gone already."""
        message = self.message
        if self.acknowledged and not self._is_counted and isinstance(message, LeasedMessage):
            message.custody.count_early(message.entry.lease, self._note())

    # Celery leaves both to the event loop's next turn, which a solo worker would sleep through.

    def acknowledge(self) -> None:
        message = self.message
        if not isinstance(message, LeasedMessage):
            super().acknowledge()
        elif not self.acknowledged:
            self.acknowledged = True
            if self._ending is None or not self._ending.is_kept_of(message):
                if self._has_ended:
                    message.custody.note(message.entry.lease, self._note())
                message.ack()
            else:
                self._ending.set_aside(message, self._note())

    @property
    def _has_ended(self) -> bool:
        """Not where a task acknowledges before it runs."""
        return bool(self.task.acks_late) or self._ending is not None

    def reject(self, requeue: bool = False) -> None:
        message = self.message
        if not isinstance(message, LeasedMessage):
            super().reject(requeue)
        elif not self.acknowledged:
            self.acknowledged = True
            if self._process_died and requeue:
                self._blame(message)
            elif self._ending is None or requeue:
                message.reject(requeue=requeue)
            else:
                self._ending.set_aside(message, self._note())
            self.send_event("task-rejected", requeue=requeue)

    def _blame(self, message: LeasedMessage) -> None:
        task: Any = self.task
        deaths = 1 + sum(f" {PROCESS_DIED} " in event for event in message.history)
        if deaths < task.max_process_deaths:
            log.warning("job.process_died", task=self.name, job=self.id, deaths=deaths)
            self._event = events.LOST
            message.requeue_after(PROCESS_DIED, self._note())
        else:
            self._event, self._reason = events.FAILED, FailureReason.POISON
            why = f"its process died {deaths} times"
            give_up(task, message, why, last_event=PROCESS_DIED, note=self._note())


def strategy(task: Any, app: Any, consumer: Any) -> Any:
    """Celery's strategy, which a job with too long a history of trouble does not reach."""
    handle = celery_strategy(task, app, consumer)

    def receive(message: Any, body: Any, *rest: Any, **options: Any) -> Any:
        match message.payload:
            case [list(), dict(), dict() | None] | dict():  # either of Celery's two protocols
                pass
            case _:
                raise InvalidTaskError("its body is no job's")
        history = getattr(message, "history", ())
        if history and len(history) >= task.max_deliveries:
            give_up(task, message, f"it was delivered {len(history)} times and came to no end")
            return None
        return handle(message, body, *rest, **options)

    return receive


def _check_time_limits(hard: float | None, soft: float | None) -> None:
    for limit in (hard, soft):
        if limit is not None and not isinstance(limit, int | float):
            raise TypeError("a time limit is no number")


def _sent_back(error: Retry, secrets: Collection[str]) -> tuple[str, str, Failure | None]:
    """The event and the reason of a job that comes again, and what it failed with."""
    cause: Any = error.exc
    if isinstance(cause, DuplicateRunningError):
        return events.WAITED, events.NONE, None
    if isinstance(cause, CircuitOpenError):
        return events.PARKED, events.NONE, None
    if not isinstance(cause, BaseException):
        return events.RETRIED, FailureReason.TRANSIENT, None
    return events.RETRIED, classify(cause), Failure.of_error(cause, secrets=secrets)


def give_up(task: Any, message: LeasedMessage, why: str, last_event: str = "", note: str = "") -> None:
    """Set a poisonous job aside, and let those who wait for it know."""
    job = message.headers.get("id")
    error = WorkerLostError(f"Set aside: {why}.")
    poison = FailureReason.POISON
    note = note or run_notes.of_message(
        events.FAILED, queue=message.entry.queue, reason=poison, headers=message.headers
    )
    message.quarantine(poison, why, last_event=last_event, note=note)
    task.backend.mark_as_failure(job, error)
    signals.task_failure.send(
        sender=task, task_id=job, exception=error, args=(), kwargs={}, traceback=None, einfo=None
    )
