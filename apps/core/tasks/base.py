"""The six task base classes. What each adds beyond its options lives in a module beside this one."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from celery.contrib.django.task import DjangoTask
from celery.exceptions import Reject, Retry

from .. import context
from ..broker.request import LeasedRequest, strategy
from ..context import DURABLE_HEADER, KEY_HEADER, UNIQUE_HEADER
from ..exceptions import PermanentError
from ..idempotency import KeyRule, is_in_transaction, job_key, run_in_transaction, run_once
from ..idempotency.key import Scope
from ..idempotency.literals import PREFIX as BODY_SETTINGS
from ..idempotency.options import OnDuplicate, OnStoreDown
from ..idempotency.options import problems as idempotency_problems
from ..mail import OutgoingMail
from ..masking import masked
from ..retry import Backoff, retry_after
from .batches import BatchResult, process_batches
from .body_settings import take_body_settings
from .declaration import bind_self, examine, option_problems, take_queue
from .external_call import ExternalCall, external_call
from .hooks import guard_hooks
from .report_files import ReportFiles
from .runner import RetryAfterRollback, run_job
from .tracing import HeardTracer

if TYPE_CHECKING:  # generic for the type checker only
    AnyTask = DjangoTask[..., Any]
else:
    AnyTask = DjangoTask


class BaseTask(AnyTask):
    """A task with retries, time limits, context and logs that need no thought.

    Options are given to the decorator and checked when the task is declared. A first parameter named `self` is
    the task. Transient errors are retried; errors of `dont_autoretry_for` never, those of `autoretry_for` always.
    """

    abstract = True

    queue_name: ClassVar[str] = "maintenance"  # set it with the option `queue`
    max_retries: int | None = 3
    default_retry_delay: int = 60  # seconds before the first retry; doubles with each further one
    retry_backoff_max: int = 600  # seconds: the longest wait between two attempts
    retry_backoff: bool | float = True  # always on; a number is another name for default_retry_delay
    retry_jitter: bool = True  # 50 % to 100 % of the computed wait
    retry_kwargs: Mapping[str, Any] = {}  # for `retry()` when a failed job is tried again by itself
    autoretry_for: tuple[type[Exception], ...] = ()
    dont_autoretry_for: tuple[type[Exception], ...] = ()
    soft_time_limit: int | None = 300  # seconds: SoftTimeLimitExceeded is raised in the job
    time_limit: int | None = 360  # seconds: the job's process is killed
    max_process_deaths: int = 3  # of the very process that ran the job; then it is set aside as poison
    max_deliveries: int = 10  # that came to no end, such as aboard workers that were lost; likewise
    sensitive_args: tuple[str, ...] = ()  # names of arguments that are shown to nobody
    repeatable: bool = False  # True: a job that runs twice does no harm, so it needs no key
    acks_late = True
    reject_on_worker_lost = True
    acks_on_failure_or_timeout = True

    Request = f"{LeasedRequest.__module__}:{LeasedRequest.__name__}"
    Strategy = f"{strategy.__module__}:{strategy.__name__}"

    __trace__ = HeardTracer()

    # Celery wraps `run` for `autoretry_for` unless it finds this; runner.py decides on all retries alike.
    _orig_run: ClassVar[None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        take_queue(cls)
        bind_self(cls)
        guard_hooks(cls)
        examine(cls)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        request: Any = self.request_stack.top
        delivered = request and not request.called_directly and not request._protected  # noqa: SLF001 - Celery's own mark
        if not delivered:
            return super().__call__(*args, **kwargs)  # a plain call of the function
        request._protected = 1  # noqa: SLF001
        return run_job(self, args, kwargs)

    def resources(self) -> AbstractContextManager[object]:
        """What is held while a job runs and given back however it ends."""
        return nullcontext()

    def guarded(self, args: tuple[Any, ...], kwargs: dict[str, Any], body: Callable[[], Any]) -> Any:
        """Run `body`, the attempt at this job, or not."""
        return body()

    def perform(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One run of the task's function."""
        return self.run(*args, **kwargs)

    # Every enqueue is part of the transaction it is in; Celery's own would hide the job's id, and lose it in a crash.
    delay_on_commit = AnyTask.delay
    apply_async_on_commit = AnyTask.apply_async

    def enqueue_headers(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], headers: Mapping[str, Any]
    ) -> dict[str, str | bool]:
        """Further message headers for a job with these arguments. What it raises, the enqueuer gets."""
        return {}

    def shown_arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, str]:
        """Celery's options for what Flower and the like show of a job's arguments, where some must not be shown."""
        if not self.sensitive_args:
            return {}
        shown_args, shown_kwargs = masked(self.run, self.sensitive_args, args, kwargs)
        return {"argsrepr": repr(shown_args), "kwargsrepr": repr(shown_kwargs)}

    @classmethod
    def declaration_problems(cls) -> Iterator[str]:
        """What is wrong with the options of this class, in words that name the fix."""
        yield from option_problems(cls)

    @property
    def firing(self) -> datetime | None:
        """The due instant (UTC) of the schedule entry that enqueued this job; None for any other job."""
        return context.current().firing_instant

    @property
    def backoff(self) -> Backoff:
        chosen = self.retry_backoff
        base = self.default_retry_delay if isinstance(chosen, bool) else chosen
        return Backoff(base=base, cap=self.retry_backoff_max)

    def retry(
        self,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        exc: Exception | None = None,
        throw: bool = True,
        eta: datetime | None = None,
        countdown: float | None = None,
        max_retries: int | None = None,
        **options: Any,
    ) -> Retry:
        """Celery's retry; without `eta` and `countdown` it waits as `backoff` and a Retry-After say."""
        if eta is None and countdown is None:
            asked = retry_after(exc) if exc is not None else None
            countdown = self.backoff.delay(self.request.retries, at_least=asked)
        try:
            again: Retry = super().retry(args, kwargs, exc, throw, eta, countdown, max_retries, **options)
        except Reject as rejected:  # it could not be published; Celery would give the job up
            raise Reject(rejected.args[0], requeue=True) from rejected
        return again


class IdempotentTask(BaseTask):
    """A task whose job runs once for its key; duplicates are answered from the stored result."""

    abstract = True

    idempotent: bool = True  # False: a task of this class that runs every time
    idempotency_ttl: float = 3600  # seconds that a result answers duplicates, from completion
    idempotency_scope: Scope = "global"
    idempotency_key: str | Callable[..., str] | None = None  # None: made from the task's name and arguments
    idempotency_failure_ttl: float = 60  # seconds that a final failure answers duplicates
    durable: bool = False  # True: its effects in the database happen once, whatever dies when
    unique_on_enqueue: bool = False  # True: enqueueing it again gives the job that waits or runs already
    on_duplicate: OnDuplicate = "skip"  # what a duplicate of a running job does
    on_store_down: OnStoreDown = "run"  # what a job does while keys cannot be claimed; "database" where it is durable

    def __init_subclass__(cls, **kwargs: Any) -> None:
        take_body_settings(cls)
        if cls.__dict__.get("durable") and "on_store_down" not in cls.__dict__:
            cls.on_store_down = "database"
        super().__init_subclass__(**kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith(BODY_SETTINGS):  # they were read when the task was declared
            super().__setattr__(name, value)

    @property
    def fencing_token(self) -> int | None:
        """A number that grows with each takeover of the job's key, for conditional writes of the task's own."""
        return getattr(self.request, "bgjobs_fence", None)

    @classmethod
    def declaration_problems(cls) -> Iterator[str]:
        yield from super().declaration_problems()
        yield from idempotency_problems(cls)
        yield from cls.__dict__.get("_body_problems", ())

    @cached_property
    def _key_rule(self) -> KeyRule:
        explicit = inspect.getattr_static(type(self), "idempotency_key")
        if isinstance(explicit, staticmethod):
            explicit = explicit.__func__
        return KeyRule(task=self.name, function=self.run, scope=self.idempotency_scope, explicit=explicit)

    def key_for(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], carried: context.JobContext) -> str:
        """The idempotency key of a job. Raises IdempotencyKeyError where there is none."""
        return job_key(self._key_rule, args, kwargs, carried)

    def enqueue_headers(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], headers: Mapping[str, Any]
    ) -> dict[str, str | bool]:
        if not self.idempotent or KEY_HEADER in headers:  # a retry keeps its key
            return {}
        key = self.key_for(args, kwargs, context.JobContext.from_headers(headers))
        durable = {DURABLE_HEADER: True} if self.durable else {}
        unique = {UNIQUE_HEADER: key} if self.unique_on_enqueue else {}
        return {KEY_HEADER: key, **durable, **unique}

    def guarded(self, args: tuple[Any, ...], kwargs: dict[str, Any], body: Callable[[], Any]) -> Any:
        if not self.idempotent:
            return body()
        carried = (self.request.headers or {}).get(KEY_HEADER)
        key = carried if isinstance(carried, str) else self.key_for(args, kwargs, context.current())
        return run_once(self, key, body)

    def perform(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not self.durable:
            return super().perform(args, kwargs)
        return run_in_transaction(self, lambda: self.run(*args, **kwargs))

    def retry(  # type: ignore[override] # the same parameters, passed on as they are
        self, args: Any = None, kwargs: Any = None, exc: Exception | None = None, throw: bool = True, **options: Any
    ) -> Retry:
        """Celery's retry. In a durable job it ends the attempt: what that has changed is rolled back first."""
        if not is_in_transaction(self):
            return super().retry(args, kwargs, exc, throw, **options)
        if not throw:
            raise PermanentError(
                "A durable job cannot go on after retry(throw=False): its transaction is rolled back."
            )
        raise RetryAfterRollback(args=args, kwargs=kwargs, exc=exc, **options) from exc


class EmailTask(IdempotentTask):
    """A task that sends mail. Permanent refusals of the mail server are not retried."""

    abstract = True

    queue_name = "email"
    on_store_down = "refuse"
    max_retries = 5
    default_retry_delay = 120
    retry_backoff_max = 3600
    soft_time_limit = 120
    time_limit = 150

    def send_mail(self, mail: OutgoingMail) -> int:
        """Send one mail by SMTP and return the number of recipients it went to.

        Raises smtplib.SMTPException or OSError as Django does; the error's class decides on a retry.
        """
        mail.send()
        return len(mail.to) + len(mail.cc)


class ExternalServiceTask(IdempotentTask):
    """A task that calls a service outside: with a time limit per call, and without storming a dead one."""

    abstract = True

    queue_name = "external_api"
    on_store_down = "refuse"
    max_retries = 2
    default_retry_delay = 300
    retry_backoff_max = 3600
    soft_time_limit = 120
    time_limit = 150

    def external_service_call(self, service: str, timeout: float = 30.0) -> AbstractContextManager[ExternalCall]:
        """Wrap a call to `service`: it ends after `timeout` seconds with ServiceTimeoutError.

        Raises CircuitOpenError before the block while the service's breaker is open: let it pass, and the job is
        parked until the service is tried again.
        """
        return external_call(service, timeout)


class ReportTask(BaseTask):
    """A task that makes a file: with progress that people can see, and temporary files that go away."""

    abstract = True

    queue_name = "reports"
    max_retries = 2
    default_retry_delay = 300
    retry_backoff_max = 3600
    soft_time_limit = 1800
    time_limit = 3600

    @contextmanager
    def resources(self) -> Iterator[None]:
        with ReportFiles.of_job(self.request.id):
            yield

    def temporary_file(self, suffix: str = "") -> Path:
        """A new empty file that is removed when the job ends, whether well, badly or at its soft time limit."""
        return ReportFiles.current().new(suffix)

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Show how far the job is. Raises ValueError unless 0 <= done <= total."""
        if not 0 <= done <= total:
            raise ValueError(f"progress must satisfy 0 <= done <= total, not {done} of {total}")
        if self.request.called_directly or self.request.is_eager:
            return
        self.update_state(state="PROGRESS", meta={"done": done, "total": total, "note": note})


class MaintenanceTask(BaseTask):
    """A task that works through many items, for hours if need be."""

    abstract = True

    queue_name = "maintenance"
    max_retries = 1
    default_retry_delay = 3600
    retry_backoff_max = 3600
    soft_time_limit = 3600
    time_limit = 7200

    def process_item(self, item: Any) -> object:
        """What `batch_process` does to each item unless it is told otherwise; a task class overrides it."""
        raise NotImplementedError("Pass process= to batch_process, or override process_item.")

    def batch_process(
        self,
        items: Iterable[Any],
        batch_size: int = 100,
        process: Callable[[Any], object] | None = None,
    ) -> BatchResult:
        """Process each item in a transaction of its own; one that fails is counted, and the rest goes on.

        `items` may be any iterable, also one that never fits in memory. `processed + failed == total` always.
        """
        return process_batches(items, process or self.process_item, batch_size)
