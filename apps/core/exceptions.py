"""Errors of the engine. Whether a job is tried again is a property of the error it ended with.

The docstring of an error class is its default message and says what to do.
"""


class BackgroundJobsError(Exception):
    """A background job could not be declared, enqueued or run."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(args or (type(self).__doc__,)))


class DeclarationError(BackgroundJobsError):
    """A task, queue or pool is declared wrongly; the message names it and the fix."""


class UnknownQueueError(DeclarationError):
    """No such queue; use one of the queues listed in apps/core/queues.py."""


class TransientError(BackgroundJobsError):
    """The job failed for a reason that is likely to pass; it is tried again."""


class RateLimitedError(TransientError):
    """The other side asked for fewer calls; the job is tried again when it says so."""

    def __init__(self, *args: object, retry_after: float | None = None) -> None:
        """`retry_after`: seconds to wait, as the other side asked for; None where it named none."""
        super().__init__(*args)
        self.retry_after = retry_after


class ServiceTimeoutError(TransientError):
    """An external service did not answer in time; the job is tried again."""


class WouldEndWorkerError(TransientError):
    """A job raised what ends a process: `sys.exit()` or a MemoryError. Its worker has other jobs, and goes on."""


class CircuitOpenError(TransientError):
    """Calls to an external service are suspended because it keeps failing."""

    def __init__(self, *args: object, service: str = "", probe_at: float = 0.0) -> None:
        """`probe_at`: when the service is tried next, in seconds since the epoch."""
        super().__init__(*args)
        self.service = service
        self.probe_at = probe_at


class PermanentError(BackgroundJobsError):
    """The job cannot succeed as it stands; it is not tried again."""


class IdempotencyKeyError(PermanentError):
    """The job has no idempotency key: an argument, the tenant or the user is missing or has no canonical form."""


class DuplicateRunningError(PermanentError):
    """A job with the same key runs already, and the task asks to be told: on_duplicate="raise"."""


class DuplicateOfFailedError(PermanentError):
    """A job with the same key has just failed; this one has not been run."""

    def __init__(self, error: str = "", message: str = "", *, job: str = "") -> None:
        """`error`: the name of the class of the other job's error, as text; no class is looked up by it.

        `job`: the other job; this very one where its message has come once more after it had failed.
        """
        super().__init__(error, message)
        self.error = error
        self.message = message
        self.job = job


class StoreDownError(TransientError):
    """The server that keeps idempotency keys does not answer; the job is tried again."""


class UncommittedJobError(BackgroundJobsError):
    """The job was enqueued in a transaction that has not been committed; it does not start before the commit."""


class InvalidMailError(PermanentError):
    """The mail has an unusable recipient, subject or header; correct it and enqueue the job again."""
