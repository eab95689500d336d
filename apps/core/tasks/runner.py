"""Running one job: the steps around the function that a task declares."""

from typing import TYPE_CHECKING, Any, NoReturn

from celery.exceptions import Ignore, Reject, Retry, WorkerShutdown, WorkerTerminate

from ..exceptions import WouldEndWorkerError
from ..idempotency import DoneBeforeError
from ..owners.identity import is_adopted
from ..retry import RETRIED, classify
from .parking import park, waits_for_breaker

if TYPE_CHECKING:
    from .base import BaseTask


class RetryAfterRollback(Retry):
    """`self.retry()` in a durable job: the new attempt is enqueued when the transaction has been rolled back."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options  # of the call


def run_job(task: "BaseTask", args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a delivered job. Raises what the job raised, or Celery's Retry where it is tried again."""
    with task.resources():
        return task.guarded(args, kwargs, lambda: attempt(task, args, kwargs))


def attempt(task: "BaseTask", args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One run of the task's function, and the decision on another one where it fails."""
    try:
        return task.perform(args, kwargs)
    except RetryAfterRollback as postponed:
        raise task.retry(**postponed.options) from postponed.__cause__
    except (Ignore, Reject, Retry, DoneBeforeError):
        raise
    except (MemoryError, SystemExit, KeyboardInterrupt, GeneratorExit) as error:
        if isinstance(error, WorkerShutdown | WorkerTerminate):  # a signal has met a worker of one thread
            raise
        if isinstance(error, SystemExit) and is_adopted():  # it may have met this child of a pool
            raise
        retry_or_fail(task, WouldEndWorkerError(type(error).__name__))
    except Exception as error:  # noqa: BLE001 - the one outer edge: every failure is classified here
        retry_or_fail(task, error)


def retry_or_fail(task: "BaseTask", error: Exception) -> NoReturn:
    """Raises Celery's Retry where the error's class, or the task's own declaration, says that it may pass."""
    if should_retry(task, error):
        if waits_for_breaker(error, task):
            park(task, error)
        raise task.retry(exc=error, **task.retry_kwargs)
    raise error


def should_retry(task: "BaseTask", error: Exception) -> bool:
    if isinstance(error, tuple(task.dont_autoretry_for)):
        return False
    return isinstance(error, tuple(task.autoretry_for)) or classify(error) in RETRIED
