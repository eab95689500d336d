"""The ends of a job after which nobody tries it again by itself, as Celery tells of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from billiard.einfo import ExceptionWithTraceback  # type: ignore[attr-defined] # the types leave it out
from billiard.exceptions import Terminated, TimeLimitExceeded, WorkerLostError
from celery.exceptions import Ignore, Reject, Retry

from ..context import DURABLE_HEADER
from ..exceptions import DuplicateOfFailedError, DuplicateRunningError
from ..logs import redact
from ..masking import scrub
from ..metrics import events
from ..retry import FailureReason, classify
from .channel import LeasedMessage
from .failure import Failure
from .qos import REJECTED

REVOKED: Final = "revoked"  # somebody has asked for it
DUPLICATE: Final = "duplicate"  # of another job, which stands for it, whatever became of that one
# Nothing is wrong with these. Only durable jobs are set aside for them, for their rows to leave the outbox: the event
# loop of a worker must not wait for the database.
UNREMARKABLE: Final = frozenset({REVOKED, DUPLICATE})

# No ends, or none that is decided here: a lost process is counted first, and others come with an end of their own.
_DECIDED_ELSEWHERE: Final = (Retry, Ignore, Terminated, WorkerLostError, SystemExit, KeyboardInterrupt, MemoryError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    reason: str
    detail: str = ""
    failure: Failure | None = None
    ran: bool = False  # in the job's body

    @classmethod
    def of(cls, exc_info: Any, *, job: str, secrets: Collection[str]) -> Self | None:
        """What the error of a job means for its message; None: nothing by itself."""
        error = error_of(exc_info)
        if isinstance(error, TimeLimitExceeded):
            return cls(reason="time_limit", detail=_killed_after(error.args[0]), ran=True)
        if isinstance(error, _DECIDED_ELSEWHERE):
            return None
        if isinstance(error, Reject):
            why: Any = getattr(error, "reason", None)
            return cls(reason=REJECTED, detail=redact(scrub(str(why or ""), secrets)), ran=True)
        if isinstance(error, DuplicateRunningError):
            return cls(reason=DUPLICATE)
        failure = Failure.of(exc_info, error, secrets=secrets)
        if isinstance(error, DuplicateOfFailedError):
            if error.job != job:
                return cls(reason=DUPLICATE)
            # It has failed, and its message came again before it could be set aside: this is what is left to tell.
            failure = Failure(error=error.error, text=scrub(error.message, secrets), traceback="", frames=())
        return cls(reason=classify(error), failure=failure, ran=True)

    def is_kept_of(self, message: LeasedMessage) -> bool:
        headers: dict[str, Any] = message.headers
        return self.reason not in UNREMARKABLE or headers.get(DURABLE_HEADER) is True

    def counted(self) -> tuple[str, str]:
        """Its event among the counts, and the reason there."""
        match self.reason:
            case "revoked" | "expired" | "rejected":
                return self.reason, events.NONE
            case "duplicate":
                return events.DEDUPLICATED, events.NONE
            case "time_limit":
                return events.FAILED, FailureReason.TIMEOUT
        return events.FAILED, self.reason

    def set_aside(self, message: LeasedMessage, note: str = "") -> None:
        message.quarantine(self.reason, self.detail, failure=self.failure, ran=self.ran, note=note)


def error_of(exc_info: Any) -> BaseException:
    """The error itself, which billiard may have wrapped with its traceback's text."""
    error: BaseException = exc_info.exception
    return error.exc if isinstance(error, ExceptionWithTraceback) else error


def timed_out(seconds: float) -> Ending:
    return Ending(reason="time_limit", detail=_killed_after(seconds), ran=True)


def expired(moment: datetime) -> Ending:
    return Ending(reason="expired", detail=f"it was not to start after {moment.isoformat(timespec='seconds')}")


def revoked() -> Ending:
    return Ending(reason=REVOKED)


def _killed_after(seconds: float) -> str:
    return f"killed after {seconds:g} s"
