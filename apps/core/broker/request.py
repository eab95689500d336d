"""Celery's request for a leased job: how it ends decides what becomes of its message."""

import time
from functools import wraps
from typing import Any, Final

from billiard.exceptions import WorkerLostError
from celery import signals
from celery.exceptions import InvalidTaskError
from celery.worker import state
from celery.worker.request import Request
from celery.worker.strategy import default as celery_strategy

from .. import masking
from ..logs import get_logger
from ..retry import FailureReason
from .channel import LeasedMessage
from .ending import Ending, error_of, expired, revoked, timed_out
from .run_times import run_times

PROCESS_DIED: Final = "process_died"  # event: the very process that ran the job

log = get_logger(__name__)


class LeasedRequest(Request):
    """With a broker that is no leased:// one, this is Celery's own request."""

    _process_died = False
    _ending: Ending | None = None  # what its message is set aside for, instead of being acknowledged

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
                failed, _, seconds = failed__retval__runtime
                if not failed:  # else `on_failure` is called, too
                    run_times.note(seconds)
                return original(self, failed__retval__runtime, **options)

            setattr(cls, "on_success", on_success)  # noqa: B010 - a method is replaced

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        if self.time_start:
            run_times.note(time.time() - self.time_start)
        secrets = masking.secrets(self.task.run, self._sensitive, self.args, self.kwargs)
        self._ending = Ending.of(exc_info, job=self.id, secrets=secrets)
        self._process_died = isinstance(error_of(exc_info), WorkerLostError) and not state.should_terminate
        return super().on_failure(exc_info, send_failed_event, return_ok)

    def on_timeout(self, soft: bool, timeout: float) -> Any:
        if not soft:
            self._ending = timed_out(timeout)
        return super().on_timeout(soft, timeout)

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

    # Celery leaves both to the event loop's next turn, which a solo worker would sleep through.

    def acknowledge(self) -> None:
        message = self.message
        if not isinstance(message, LeasedMessage):
            super().acknowledge()
        elif not self.acknowledged:
            self.acknowledged = True
            if self._ending is None or not self._ending.is_kept_of(message):
                message.ack()
            else:
                self._ending.set_aside(message)

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
                self._ending.set_aside(message)
            self.send_event("task-rejected", requeue=requeue)

    def _blame(self, message: LeasedMessage) -> None:
        task: Any = self.task
        deaths = 1 + sum(f" {PROCESS_DIED} " in event for event in message.history)
        if deaths < task.max_process_deaths:
            log.warning("job.process_died", task=self.name, job=self.id, deaths=deaths)
            message.requeue_after(PROCESS_DIED)
        else:
            give_up(task, message, f"its process died {deaths} times", last_event=PROCESS_DIED)


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


def give_up(task: Any, message: LeasedMessage, why: str, last_event: str = "") -> None:
    """Set a poisonous job aside, and let those who wait for it know."""
    job = message.headers.get("id")
    error = WorkerLostError(f"Set aside: {why}.")
    message.quarantine(FailureReason.POISON, why, last_event=last_event)
    task.backend.mark_as_failure(job, error)
    signals.task_failure.send(
        sender=task, task_id=job, exception=error, args=(), kwargs={}, traceback=None, einfo=None
    )
