"""Whether a failed job is tried again, and when: decided here and nowhere else."""

import math
import random
import smtplib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

import redis.exceptions
from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError

from .exceptions import PermanentError, RateLimitedError, TransientError

LONGEST_RETRY_AFTER: Final = 24 * 3600.0  # seconds; a server that asks for more is not believed


class FailureReason(StrEnum):
    """Why a job failed: the closed set of values that metrics and dead letters carry."""

    TRANSIENT = "transient"
    RATE_LIMITED = "rate_limited"
    PERMANENT = "permanent"
    POISON = "poison"
    TIMEOUT = "timeout"


RETRIED: Final = frozenset({FailureReason.TRANSIENT, FailureReason.RATE_LIMITED})

_BY_CLASS: Final[tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], FailureReason], ...]] = (
    (RateLimitedError, FailureReason.RATE_LIMITED),
    (TransientError, FailureReason.TRANSIENT),
    (PermanentError, FailureReason.PERMANENT),
    ((SoftTimeLimitExceeded, TimeLimitExceeded), FailureReason.TIMEOUT),
    (WorkerLostError, FailureReason.POISON),
    # Transient before permanent: some errors of libraries are both, such as a ValueError that is an OSError.
    (
        (
            OSError,
            subprocess.TimeoutExpired,
            OperationalError,
            InterfaceError,
            BrokerError,
            redis.exceptions.RedisError,
        ),
        FailureReason.TRANSIENT,
    ),
    (
        (
            TypeError,
            ValueError,
            LookupError,
            AttributeError,
            AssertionError,
            NotImplementedError,
            ValidationError,
            IntegrityError,
            ObjectDoesNotExist,
        ),
        FailureReason.PERMANENT,
    ),
)


def classify(error: BaseException) -> FailureReason:
    """The reason class of `error`: a status code that it carries decides first, then its type."""
    by_code = _by_smtp_code(error) or _by_http_status(error)
    if by_code is not None:
        return by_code
    for classes, reason in _BY_CLASS:
        if isinstance(error, classes):
            return reason
    return FailureReason.TRANSIENT


def retry_after(error: BaseException, *, now: datetime | None = None) -> float | None:
    """Seconds that the other side asked to wait, from the error or its HTTP response; None if it did not."""
    named = getattr(error, "retry_after", None)
    if named is None:
        named = _header(error, "Retry-After")
    seconds = _seconds(named, now or datetime.now(UTC))
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential back-off with equal jitter: min(base * 2^n, cap), of which 50 % to 100 % are waited.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    base: float  # seconds
    cap: float  # seconds

    def delay(
        self,
        attempt: int,
        *,
        at_least: float | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> float:
        """Seconds to wait before retry number `attempt`, counted from 0; never less than `at_least`."""
        longest = min(self.base * 2.0 ** min(attempt, 60), self.cap)
        return max(uniform(longest / 2, longest), at_least or 0.0)


def _by_smtp_code(error: BaseException) -> FailureReason | None:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    elif isinstance(error, smtplib.SMTPResponseException):
        codes = [error.smtp_code]
    else:
        return None
    # One recipient that may be accepted later makes the whole mail worth another try.
    return FailureReason.TRANSIENT if any(code < 500 for code in codes) else FailureReason.PERMANENT


def _by_http_status(error: BaseException) -> FailureReason | None:
    """Reads the status that requests, httpx, urllib and botocore errors carry."""
    status = getattr(getattr(error, "response", None), "status_code", None) or getattr(error, "code", None)
    if not isinstance(status, int) or not 400 <= status <= 599:
        return None
    if status == 429:
        return FailureReason.RATE_LIMITED
    return FailureReason.TRANSIENT if status >= 500 or status == 408 else FailureReason.PERMANENT


def _header(error: BaseException, name: str) -> Any:
    headers = getattr(getattr(error, "response", None), "headers", None) or getattr(error, "headers", None)
    return headers.get(name) if headers is not None and hasattr(headers, "get") else None


def _seconds(value: Any, now: datetime) -> float | None:
    """`value` in seconds: a number, or an HTTP date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        pass
    else:
        return None if math.isnan(seconds) else seconds
    try:
        return (parsedate_to_datetime(str(value)) - now).total_seconds()
    except (TypeError, ValueError):
        return None
